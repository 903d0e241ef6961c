// What the labelling page and the pages of images share: the outbox, requests that say what is wrong, the instructions.

const BATCH = 20;  // answers sent at once
export const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const READ_MS = 4000;  // for the sentence that says which answers were not stored, before the page loads the new question

export const root = document.querySelector("[data-label]");
export const place = (name) => root.querySelector(`[data-${name}]`);
export const sheet = place("sheet");

// -- the outbox: what is not stored yet, kept over a reload ------------------------------------------------------------
// `body` picks what of a row is sent, `gone` says why a row may not be stored, `idle` follows once all is sent, and
// `weight` counts the answers of a row.
export class Outbox {
  constructor({ body, gone, idle, weight = () => 1 }) {
    Object.assign(this, { body, gone, idle, weight, rows: new Map(), sending: false, failures: 0, timer: 0, reloads: false });
    window.addEventListener("beforeunload", (event) => { if (this.rows.size) event.preventDefault(); });
  }

  read() {
    try { JSON.parse(localStorage.getItem(root.dataset.outbox) || "[]").forEach((row) => this.rows.set(row.once, row)); }
    catch { /* a full or shut store: answers then wait in this page alone */ }
  }

  write() {
    root.dataset.unsent = this.rows.size;
    try { localStorage.setItem(root.dataset.outbox, JSON.stringify([...this.rows.values()])); } catch { /* as above */ }
  }

  put(...rows) { rows.forEach((row) => this.rows.set(row.once, row)); this.write(); this.flush(); }

  answers() { return [...this.rows.values()].reduce((sum, row) => sum + this.weight(row), 0); }

  async flush() {
    if (this.sending || !this.rows.size) return;
    this.sending = true;
    clearTimeout(this.timer);
    const first = this.rows.values().next().value;
    const rows = [...this.rows.values()].filter((row) => row.revision === first.revision).slice(0, BATCH);
    try {
      const reply = await send(root.dataset.answers, { revision: first.revision, answers: rows.map(this.body) }, this);
      const lost = this.settle(rows, (await reply.json()).answers);
      this.failures = 0;
      this.write();
      trouble(lost);
    } catch (error) {
      this.failures += 1;
      trouble(error.text || "", error.login);
      if (error.final) { rows.forEach((row) => this.rows.delete(row.once)); this.write(); }
      this.timer = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]);
      return;
    } finally { this.sending = false; }
    if (this.rows.size) this.flush(); else this.idle();
  }

  // Takes out what is settled; one that was corrected while it was on its way stays. Returns a sentence about what was lost.
  settle(rows, outcome) {
    let lost = 0, revised = false;
    rows.forEach((row) => {
      const what = outcome[row.once];
      if (this.rows.get(row.once) === row || what === "revised" || what === "gone") this.rows.delete(row.once);
      if (what !== "stored") lost += this.weight(row);
      revised ||= what === "revised";
    });
    if (revised && !this.reloads) setTimeout(() => location.reload(), READ_MS);
    this.reloads ||= revised;
    if (revised) return `The question has changed, so ${answersOf(lost)} given to the old question ${lost === 1 ? "was" : "were"} not stored. The page loads the new question.`;
    return lost ? `${answersOf(lost)} could not be stored. ${this.gone} The others are stored.` : "";
  }

  waiting(what) {
    const count = this.answers();
    return count
      ? `${what} ${answersOf(count)} ${count === 1 ? "is" : "are"} kept in this browser and will be sent. You can go on.`
      : `${what} This page tries again.`;
  }
}

const answersOf = (count) => `${count} answer${count === 1 ? "" : "s"}`;

// -- requests ---------------------------------------------------------------------------------------------------------
class Failed extends Error {
  constructor(text, { login = false, final = false } = {}) { super(text); Object.assign(this, { text, login, final }); }
}

export async function ask(address, outbox, options = {}) {
  let reply;
  try { reply = await fetch(address, { ...options, headers: { Accept: "application/json", ...options.headers } }); }
  catch { throw new Failed(outbox.waiting("No connection.")); }
  if (reply.ok) return reply;
  if (reply.status === 401) throw new Failed(outbox.waiting("You were logged out."), { login: true });
  const said = await reply.json().catch(() => ({}));
  if (reply.status === 400) throw new Failed(`${said.message || "The request was not understood."} Load the page again.`);
  if (reply.status === 403 || reply.status === 404) throw new Failed(said.message || "This queue is closed.", { final: reply.status === 404 });
  throw new Failed(outbox.waiting(said.message || "The server does not answer."));
}

export function send(address, body, outbox) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": root.dataset.csrf };
  return ask(address, outbox, { method: "POST", headers, body: JSON.stringify(body) });
}

export function trouble(text, login = false) {
  const line = place("trouble");
  line.hidden = !text;
  line.textContent = text;
  if (!text || !login) return;
  const link = document.createElement("a");
  link.href = root.dataset.login; link.textContent = " Log in again";
  line.append(link);
}

export function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));  // randomUUID is there on https and localhost only
  bytes[6] = (bytes[6] & 0x0f) | 0x40; bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// The second frame after a change begins when the first has been painted: no key counts for an image not yet seen.
export const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

export const spaced = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");

// -- the instructions: once a revision, and with "?" ------------------------------------------------------------------
export function help() { if (sheet.open) sheet.close(); else sheet.showModal(); }

export function setUpHelp(closed) {
  place("help").addEventListener("click", help);
  place("close").addEventListener("click", () => sheet.close());
  sheet.addEventListener("close", () => {
    try { localStorage.setItem(`${root.dataset.outbox}:read`, root.dataset.revision); } catch { /* shown again, then */ }
    closed();
  });
}

export function openedBefore() {
  let read = null;
  try { read = localStorage.getItem(`${root.dataset.outbox}:read`); } catch { /* shown, then */ }
  if (read !== root.dataset.revision) { sheet.showModal(); place("close").focus(); }
}
