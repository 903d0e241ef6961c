// Images in by browser: files, a folder, a zip or a table, dropped or chosen; sent in pieces, each as often as it takes.
"use strict";

{  // names of its own: console.js runs beside it
const root = document.querySelector("[data-bring]");
const limits = JSON.parse(root.dataset.bring);
const get = (name) => root.querySelector(`[data-${name}]`);
const AT_ONCE = 3;  // files under way, so that small ones do not wait for each other's answers
const RESTS_MS = [1000, 2000, 4000, 8000, 15000, 30000];  // before a piece is tried again
const IMAGES = new Set(limits.images), TABLES = new Set(limits.tables);
const ZIP = IMAGES.size ? ".zip" : "";  // a page that takes one table takes nothing else

const spaced = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");
const counted = (count, word) => `${spaced(count)} ${word}${count === 1 ? "" : "s"}`;
const megabytes = (size) => (size < 1e5 ? `${Math.max(1, Math.round(size / 1e3))} KB` : `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`);
const suffix = (name) => (/\.[^./]+$/.exec(name)?.[0] ?? "").toLowerCase();
const hidden = (name) => name.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");

let chosen = [];  // { name, file }
let stop = null;  // the AbortController of what is under way

// -- choosing ---------------------------------------------------------------------------------------------------------
async function inside(entry) {
  if (entry.isFile) {
    const file = await new Promise((good, bad) => entry.file(good, bad)).catch(() => null);  // gone, or not readable
    return file ? [{ name: entry.fullPath.replace(/^\//, ""), file }] : [];
  }
  const reader = entry.createReader(), found = [];
  for (;;) {  // a reader gives a hundred at a time
    const some = await new Promise((good, bad) => reader.readEntries(good, bad)).catch(() => []);
    if (!some.length) return found;
    for (const one of some) found.push(...await inside(one));
  }
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ name: file.name, file }));
  return (await Promise.all(entries.map(inside))).flat();
}

function sort(files) {
  const taken = [], other = [], large = [];
  for (const one of files) {
    const end = suffix(one.name);
    if (hidden(one.name) || !(IMAGES.has(end) || TABLES.has(end) || (ZIP && end === ZIP))) other.push(one);
    else if (IMAGES.size && end !== ZIP && one.file.size > limits.imageBytes) large.push(one);
    else taken.push(one);
  }
  return { taken, other, large };
}

function choose(files) {
  if (stop) return;
  const { taken, other, large } = sort(files);
  chosen = taken;
  const size = taken.reduce((sum, { file }) => sum + file.size, 0);
  const count = (test) => taken.filter(({ name }) => test(suffix(name))).length;
  const kinds = [[count((end) => IMAGES.has(end)), "image"], [count((end) => ZIP && end === ZIP), "zip"], [count((end) => TABLES.has(end)), limits.noun ?? "asset table"]];
  const parts = kinds.filter(([many]) => many).map(([many, word]) => counted(many, word));
  const lines = [];
  if (other.length) lines.push(`${counted(other.length, "other file")} left out: no ${ZIP ? "image, zip or table" : "CSV or Parquet file"}.`);
  if (large.length) lines.push(`${large[0].name}${large.length > 1 ? ` and ${spaced(large.length - 1)} more` : ""} left out: larger than ${megabytes(limits.imageBytes)}.`);
  let wrong = "";
  if (!taken.length) wrong = limits.none ?? "There is no image, zip or asset table among these files. Choose others.";
  else if (kinds[2][0] > 1) wrong = limits.many ?? "Attune takes one asset table with an upload. Choose again, with one.";
  else if (taken.length > limits.mostFiles) wrong = `${counted(taken.length, "file")} are more than the ${spaced(limits.mostFiles)} that one upload takes. Send one folder after the other.`;
  else if (size > limits.mostBytes) wrong = `${megabytes(size)} is more than the ${megabytes(limits.mostBytes)} that one upload takes. Send less at a time.`;
  get("what").textContent = wrong || `${parts.join(", ")}, ${megabytes(size)}`;
  get("left-out").textContent = lines.join(" ");
  get("ready").hidden = false; get("send").hidden = Boolean(wrong); get("send").textContent = limits.button ?? "Add to the pool";
  trouble("");
  if (!wrong) get("send").focus();
}

// -- sending ----------------------------------------------------------------------------------------------------------
class Refused extends Error {}

async function ask(address, options) {
  const headers = { Accept: "application/json", "X-CSRFToken": root.dataset.csrf, ...options.headers };
  const { signal } = stop;  // of this sending: another one may begin before a rest is over
  for (let turn = 0; ; turn += 1) {
    let said = "The connection is interrupted.";
    try {
      const reply = await fetch(address, { ...options, headers, signal });
      if (reply.ok) { trouble(""); return await reply.json(); }
      const told = await reply.json().catch(() => ({}));
      if (reply.status === 401) throw new Refused("You were logged out. Log in in another tab, then press “Try again”.");
      if (reply.status < 500 && reply.status !== 408 && reply.status !== 429) throw new Refused(told.message || "The server refused the files.");
      said = told.message || "The server does not answer.";
    } catch (error) {
      if (error instanceof Refused || signal.aborted) throw error;
    }
    if (turn === RESTS_MS.length) throw new Refused(`${said} What was sent is kept for a day. Press “Try again” to go on.`);
    trouble(`${said} Trying again …`);
    await new Promise((done) => { setTimeout(done, RESTS_MS[turn]); signal.addEventListener("abort", done); });
    if (signal.aborted) throw new DOMException("", "AbortError");
  }
}

function trouble(text) {
  const line = get("trouble");
  line.hidden = !text;
  if (line.textContent !== text) line.textContent = text;
}

// The same files chosen again, after a reload too, go on where they were interrupted.
function mark() {
  const text = chosen.map(({ name, file }) => `${name}\0${file.size}\0${file.lastModified}`).join("\n");
  let sum = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at += 1) sum = ((sum ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n) & 0xffffffffffffffffn;
  return `attune-upload-${chosen.length}-${sum.toString(16)}`;
}

async function opened(key) {
  const kept = sessionStorage.getItem(key);
  if (kept) {
    const reply = await fetch(`${kept}/received`, { headers: { Accept: "application/json" }, signal: stop.signal }).catch(() => null);
    if (reply?.ok) return { upload: kept, received: (await reply.json()).received };
  }
  const { upload } = await ask(root.dataset.begin, { method: "POST" });
  sessionStorage.setItem(key, upload);
  return { upload, received: {} };
}

async function sendFile(upload, number, held, told) {
  const { name, file } = chosen[number];
  let offset = held;
  told(offset, false);
  do {
    const query = new URLSearchParams({ name, size: file.size, offset });
    const body = file.slice(offset, offset + limits.piece);
    const headers = { "Content-Type": "application/octet-stream" };
    const { received } = await ask(`${upload}/${number}?${query}`, { method: "PUT", headers, body });
    told(received - offset, false);
    offset = received;
  } while (offset < file.size);
  told(0, true);
}

async function send() {
  stop = new AbortController();
  const total = chosen.reduce((sum, { file }) => sum + file.size, 0);
  let bytes = 0, files = 0, next = 0;
  const bar = get("bar");
  bar.max = Math.max(1, total); bar.value = 0;
  const told = (more, whole) => {
    bytes += more; files += whole ? 1 : 0;
    bar.value = bytes;
    get("sent").textContent = `${spaced(files)} of ${counted(chosen.length, "file")} sent, ${megabytes(bytes)} of ${megabytes(total)}`;
  };
  get("ready").hidden = true; get("drop-zone").hidden = true; get("progress").hidden = false;
  trouble("");
  try {
    const key = mark(), { upload, received } = await opened(key);
    root.dataset.upload = upload;
    const one = async () => { while (next < chosen.length) { const number = next; next += 1; await sendFile(upload, number, received[number] ?? 0, told); } };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    const { page } = await ask(`${upload}/finish`, { method: "POST", body: new URLSearchParams({ count: chosen.length, ...limits.finish, ...(get("restore")?.checked ? { restore: 1 } : {}) }) });
    sessionStorage.removeItem(key);
    stop = null;
    location.assign(page);
  } catch (error) {
    const cancelled = stop.signal.aborted && !(error instanceof Refused);
    stop.abort();  // the other files under way
    stop = null;
    get("progress").hidden = true; get("drop-zone").hidden = false; get("ready").hidden = cancelled;
    get("send").textContent = "Try again";
    if (!cancelled) trouble(error instanceof Refused ? error.message : "A file could not be read. Choose the files again.");
  }
}

// Forgotten at once: the same files, chosen again before the server has dropped them, begin anew.
function cancel() {
  stop?.abort();
  const { upload } = root.dataset;
  if (!upload) return;
  delete root.dataset.upload;
  for (const key of Object.keys(sessionStorage)) if (sessionStorage.getItem(key) === upload) sessionStorage.removeItem(key);
  const headers = { "X-CSRFToken": root.dataset.csrf };
  fetch(`${upload}/drop`, { method: "POST", keepalive: true, headers }).catch(() => {}); // a page that closes sends it, too
}

// -- the page ---------------------------------------------------------------------------------------------------------
root.hidden = false;
for (const kind of ["files", "folder"]) {
  const field = get(`${kind}-field`);
  if (!field) continue;
  get(kind).addEventListener("click", () => field.click());
  field.addEventListener("change", () => {
    choose([...field.files].map((file) => ({ name: file.webkitRelativePath || file.name, file })));
    field.value = "";
  });
}
get("send").addEventListener("click", send);
get("cancel").addEventListener("click", cancel);

let over = 0;
const carries = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
document.addEventListener("dragenter", (event) => { if (carries(event)) { over += 1; root.classList.add("over"); } });
document.addEventListener("dragleave", (event) => { if (carries(event)) { over -= 1; root.classList.toggle("over", over > 0); } });
document.addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
document.addEventListener("drop", async (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  over = 0; root.classList.remove("over");
  choose(await dropped(event.dataTransfer));
});
window.addEventListener("beforeunload", (event) => { if (stop) event.preventDefault(); });
}
