// Choose images, press a class, and all of them are answered: in Explore and in an attribute's gallery.

import { identity, Outbox, place, root } from "./labelling.js";

const REASONS = {  // of images that got no answer
  answered: (count) => `${count} you had answered before`,
  waiting: (count) => `${count} ${count === 1 ? "waits" : "wait"} in your queue: answer ${count === 1 ? "it" : "them"} there`,
  absent: (count) => `${count} ${count === 1 ? "is" : "are"} not in the pool any more`,
};
const said = place("said"), undo = place("undo");
const boxes = () => [...document.querySelectorAll("[data-choose]")];
const elsewhere = () => [...document.querySelectorAll("[data-elsewhere]")];  // chosen on another page of Explore
const chosen = () => boxes().filter((box) => box.checked);
let anchor = null;  // where a range begins
let last = null;  // the batch that was answered last

// -- the choice -------------------------------------------------------------------------------------------------------
function count() {
  const many = chosen().length + elsewhere().length;
  place("picked").textContent = many;
  place("none").hidden = many === 0;
  root.querySelectorAll("[data-value]").forEach((button) => { button.disabled = many === 0; });
}

function range(to, checked) {
  const all = boxes(), [first, end] = [all.indexOf(anchor), all.indexOf(to)].sort((one, other) => one - other);
  if (first >= 0) all.slice(first, end + 1).forEach((box) => { box.checked = checked; });
}

function clear() {
  boxes().forEach((box) => { box.checked = false; });
  elsewhere().forEach((held) => held.remove());
  count();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-all]")) { boxes().forEach((box) => { box.checked = true; }); count(); return; }
  if (event.target.closest("[data-none]")) { clear(); return; }
  const box = event.target.closest("li")?.querySelector("[data-choose]"), several = event.shiftKey || event.ctrlKey || event.metaKey;
  if (!box) return;
  if (event.target === box) {  // it has changed already
    if (event.shiftKey && anchor) range(box, box.checked);
  } else {
    // A picture in the gallery is a link, and opens the image until something is chosen.
    const picture = event.target.closest(".pickable, .shot");
    if (!picture || !(several || (picture.matches(".shot") && chosen().length))) return;
    event.preventDefault();
    if (event.shiftKey && anchor) range(box, true); else box.checked = !box.checked;
  }
  anchor = box;
  count();
}, true);

document.addEventListener("change", (event) => { if (event.target.matches("[data-choose]")) count(); });

// -- the answers ------------------------------------------------------------------------------------------------------
class Batches extends Outbox {
  settle(sent, outcome) {
    const rows = sent.filter((row) => outcome[row.once]?.state !== "storing");
    if (rows.length < sent.length) say("Your last answers are still being stored. These follow by themselves.");
    rows.forEach((row) => told(row, outcome[row.once] || { state: "gone", stored: 0, left: {} }));
    super.settle(rows, Object.fromEntries(rows.map((row) => [row.once, outcome[row.once]?.state])));
  }

  lose(rows, ...why) {
    rows.forEach((row) => marks(row.images, ""));
    if (rows.length) say("");
    super.lose(rows, ...why);
  }
}

const outbox = root?.dataset.answers && new Batches({
  body: ({ once, key, value, images, undo: back }) => ({ once, key, value, images, undo: back }),
  gone: "Load the page again, then choose the images again.",
  idle: () => {},
  refused: () => {},
  weight: (row) => row.images.length,
});

function marks(images, text, sending = false) {
  const wanted = new Set(images);
  boxes().filter((box) => wanted.has(box.value)).forEach((box) => {
    const item = box.closest("li");
    item.querySelector(".given-mark")?.remove();
    if (!text) return;
    const mark = document.createElement("span");
    mark.className = sending ? "given-mark sending" : "given-mark"; mark.textContent = text;
    item.append(mark);
  });
}

const many = (count) => `${count} image${count === 1 ? "" : "s"}`;

function told(row, done) {
  if (row.undo) {
    marks(row.images, "");
    if (done.state === "stored") say(`Taken back. ${many(row.images.length)} ${row.images.length === 1 ? "has" : "have"} no answer of yours again.`);
    return;
  }
  if (done.state !== "stored") return;
  const out = Object.values(done.left).flat();
  marks(out, "");
  const stored = row.images.filter((name) => !out.includes(name));
  marks(stored, row.value);
  const left = Object.entries(done.left).map(([why, names]) => REASONS[why](names.length));
  say(`${done.stored ? `${many(done.stored)} answered “${row.value}”.` : "No image was answered."}${left.length ? ` Left out: ${left.join("; ")}.` : ""}`);
  if (done.stored && last?.key === row.key) { last.images = stored; undo.hidden = false; }
}

function say(text) { said.textContent = text; undo.hidden = true; }

function answer(value) {
  const images = [...elsewhere(), ...chosen()].map((one) => one.value);
  if (!images.length) return;
  const row = { once: identity(), key: identity(), revision: Number(root.dataset.revision), value, images };
  last = { key: row.key, images };
  marks(images, value, true);
  say(`Sending ${many(images.length)}…`);
  clear();
  outbox.put(row);
}

function takeBack() {
  if (!last || undo.hidden) return;
  const row = { once: identity(), key: last.key, revision: Number(root.dataset.revision), value: "", images: last.images, undo: true };
  last = null;
  say("Taking back…");
  outbox.put(row);
}

if (outbox) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-value]");
    if (button) answer(button.dataset.value);
    else if (event.target.closest("[data-undo]")) takeBack();
  });
  outbox.read();
  outbox.flush();  // what an earlier page could not send
}

// -- the keys ---------------------------------------------------------------------------------------------------------
const types = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, dialog, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || types(event.target)) return;
  const box = event.target.closest?.("li")?.querySelector("[data-choose]");
  const button = [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key && !one.disabled);
  if (event.key.toLowerCase() === "x" && box) { box.checked = !box.checked; anchor = box; count(); }
  else if (event.key === "Escape" && chosen().length + elsewhere().length) clear();
  else if (event.key === "Backspace" && outbox) takeBack();
  else if (button) button.click();
  else return;
  event.preventDefault();
});

root.querySelector("[data-question]")?.addEventListener("change", (event) => {
  const address = new URL(location.href);
  address.searchParams.set("for", event.target.value);
  address.searchParams.delete("pick");
  [...elsewhere(), ...chosen()].forEach((one) => address.searchParams.append("pick", one.value));
  location.assign(address);
});

document.querySelectorAll("[data-all]").forEach((button) => { button.hidden = false; });
count();
