// What the labelling page and the pages of images share: the outbox, requests that say what is wrong, the instructions.

import { KeptRows } from "./kept_rows.js";
import { say } from "./words.js";

const BATCH = 20;  // answers sent at once
export const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const READ_MS = 4000;  // for the sentence that says which answers were not stored, before the page loads the new question

const NOTICE_MS = 8000;  // a sentence about lost answers stays so long at least, however fast somebody answers

export const root = document.querySelector("[data-label]");
export const place = (name) => root.querySelector(`[data-${name}]`);
export const dialog = place("dialog");

// -- the outbox: what is not stored yet, kept over a reload, shared by this person's tabs -----------------------------
// `body` picks what of a row is sent, `gone` says why a row may not be stored, `idle` follows once all is sent, `weight`
// counts the answers of a row, `refused` hears of a row whose question has another answer, which stays, and `paused` of
// a queue that an owner has stopped. `latest`: of two first answers in one browser the later counts.
export class Outbox {
  constructor({ body, gone, idle, refused, paused, latest = false, weight = () => 1 }) {
    Object.assign(this, { body, gone, idle, refused, paused, latest, weight, rows: new Map(), sending: false, failures: 0, timer: 0, reloads: false });
    Object.assign(this, { storage: new KeptRows(root.dataset.outbox), kept: new Set(), alone: false, lost: new Map(), told: 0 });
    window.addEventListener("beforeunload", (event) => { if (this.rows.size) event.preventDefault(); });
    window.addEventListener("storage", (event) => {
      if (!event.key?.startsWith(this.storage.prefix)) return;
      const waited = this.rows.size;
      this.read();
      if (waited && !this.rows.size && !this.sending) this.done();
    });
  }

  // Takes in what other tabs keep, and leaves out what they have settled.
  read() {
    const stored = this.storage.all();
    if (stored) {
      [...this.kept].filter((once) => !stored.has(once)).forEach((once) => { this.kept.delete(once); this.rows.delete(once); });
      stored.forEach((row, once) => {
        this.kept.add(once);
        if (!(this.rows.get(once)?.at >= row.at)) this.rows.set(once, row);
      });
      this.rows = new Map([...this.rows].sort(([, one], [, other]) => one.at - other.at));
    }
    root.dataset.unsent = this.rows.size;
  }

  // The seconds of a look, as a row has them: one that corrects what is not stored yet leaves the first look's alone.
  looked(once, seconds) {
    const before = this.rows.get(once);
    return before ? { seconds: before.seconds, more: (before.more || 0) + seconds } : { seconds, more: 0 };
  }

  put(...rows) {
    if (performance.now() - this.told > NOTICE_MS) this.lost.clear();
    rows.map((row) => ({ ...row, at: Date.now() })).forEach((row) => {
      this.rows.set(row.once, row);
      if (this.storage.put(row)) this.kept.add(row.once); else this.kept.delete(row.once);
    });
    root.dataset.unsent = this.rows.size;
    this.flush();
  }

  drop(row) {
    this.rows.delete(row.once); this.kept.delete(row.once);
    this.storage.remove(row);
    root.dataset.unsent = this.rows.size;
  }

  answers(rows = [...this.rows.values()]) { return rows.reduce((sum, row) => sum + this.weight(row), 0); }

  // The next rows to send. Of two answers to one question the later is sent, if it was given as a correction, or where
  // another tab asked the same; then the page says so. That tab may have sent the earlier one just now: which of the two
  // is stored, only the server knows.
  next() {
    const last = new Map(), twice = [];
    for (const row of [...this.rows.values()]) {
      const before = last.get(row.key);
      if (before && row.first && this.latest) twice.push(before);
      if (before && (!row.first || this.latest)) this.drop(before);
      last.set(row.key, row);
    }
    this.lose(twice, "twice", (count) => say("twice", { count }));
    const first = this.rows.values().next().value;
    return [...this.rows.values()].filter((row) => row.revision === first.revision).slice(0, this.alone ? 1 : BATCH);
  }

  async flush() {
    if (this.sending) return;
    // Another tab may have sent what this one could not: nothing is in trouble then.
    if (!this.rows.size) { if (this.failures) this.done(); return; }
    clearTimeout(this.timer);
    this.read();
    if (this.rows.size && !(await this.attempt(this.next()))) return;
    if (this.rows.size) this.flush(); else this.done();
  }

  done() {
    clearTimeout(this.timer);
    this.failures = 0; this.alone = false;
    trouble("");
    this.idle();
  }

  // Sends `rows`; whether the outbox goes on at once.
  async attempt(rows) {
    this.sending = true;
    try {
      const now = Date.now(), answers = rows.map((row) => ({ ...this.body(row), age: Math.max(0, now - row.at) }));
      const reply = await send(root.dataset.answers, { revision: rows[0].revision, answers }, this);
      const said = await reply.json();
      this.settle(rows, said.answers);
      if (said.paused) this.paused();
      this.failures = 0;
      trouble("");
      if (rows.every((row) => this.rows.get(row.once)?.at === row.at)) {  // the server has yet to store others of this person
        this.timer = setTimeout(() => this.flush(), RETRY_MS[1]);
        return false;
      }
      return true;
    } catch (error) {
      if (error.refused && rows.length > 1) { this.alone = true; return true; }  // one of them is at fault
      if (error.refused || error.final) {
        const every = error.final ? [...this.rows.values()] : rows;
        this.lose(every, error.text, (count) => say("not_stored", { count, reason: error.text }));
        every.forEach((row) => this.drop(row));
        trouble("");
        return true;
      }
      this.failures += 1;
      trouble(error.text || "", error.login);
      this.timer = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]);
      return false;
    } finally { this.sending = false; }
  }

  // Takes out what is settled; one that was corrected while it was on its way stays.
  settle(rows, outcome) {
    const as = (...what) => rows.filter((row) => what.includes(outcome[row.once]));
    const revised = as("revised"), twice = as("superseded", "answered");
    const others = rows.filter((row) => !["stored", "revised", "superseded", "answered"].includes(outcome[row.once]));
    rows.filter((row) => this.rows.get(row.once)?.at === row.at).forEach((row) => this.drop(row));
    [...revised, ...others].forEach((row) => this.drop(this.rows.get(row.once) || row));
    this.lose(revised, "revised", (count) => say("revised", { count }));
    this.lose(twice, "twice", (count) => say("twice", { count }));
    this.lose(others, "gone", (count) => say("lost", { count, reason: this.gone }));
    twice.forEach((row) => this.refused(row));
    if (revised.length && !this.reloads) setTimeout(() => location.reload(), READ_MS);
    this.reloads ||= revised.length > 0;
  }

  // Has the page say that `rows` were lost, until answers go on for a while.
  lose(rows, why, words) {
    if (!rows.length) return;
    const keys = this.lost.get(why)?.keys || new Map();  // a question that was answered twice is one
    rows.forEach((row) => keys.set(row.key, row));
    this.lost.set(why, { keys, words });
    this.told = performance.now();
    notice = () => [...this.lost.values()].map((one) => one.words(this.answers([...one.keys.values()]))).join(" ");
  }

  waiting(what) {
    const loose = this.answers([...this.rows.values()].filter((row) => !this.kept.has(row.once))), count = this.answers();
    if (loose) return `${what} ${say("loose", { count: loose })}`;
    return `${what} ${count ? say("kept", { count }) : say("tries_again")}`;
  }
}

export const PAUSED_MS = 20000;  // a page that an owner has paused looks again after so long

// -- requests ---------------------------------------------------------------------------------------------------------
class Failed extends Error {
  constructor(text, { login = false, final = false, refused = false } = {}) { super(text); Object.assign(this, { text, login, final, refused }); }
}

export async function ask(address, outbox, options = {}) {
  let reply;
  try { reply = await fetch(address, { ...options, headers: { Accept: "application/json", ...options.headers } }); }
  catch { throw new Failed(outbox.waiting(say("no_connection"))); }
  if (reply.ok) return reply;
  if (reply.status === 401) throw new Failed(outbox.waiting(say("logged_out")), { login: true });
  const said = await reply.json().catch(() => ({}));
  if (reply.status === 400) throw new Failed(said.message || say("not_understood"));
  if (reply.status === 403) throw new Failed(said.message || say("closed"));
  if (said.error === "UnknownAttribute") throw new Failed(say("question_gone"), { final: true });
  if (said.error === "DataError") throw new Failed(said.message, { refused: true });
  if (reply.status === 404) throw new Failed(outbox.waiting(say("not_known")));
  if (reply.status === 500 && said.request) throw new Failed(outbox.waiting(say("unexpected", { request: said.request })));
  throw new Failed(outbox.waiting(say(said.error ? "no_storing" : "no_reply")));
}

export function send(address, body, outbox) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": root.dataset.csrf };
  return ask(address, outbox, { method: "POST", headers, body: JSON.stringify(body) });
}

let notice = () => "";  // which answers were lost, and why

export function trouble(text, login = false) {
  const line = place("trouble"), whole = [notice(), text].filter(Boolean).join(" ");
  line.hidden = !whole;
  if (line.textContent !== whole) line.textContent = whole;  // said once by a screen reader
  if (!text || !login) return;
  const link = document.createElement("a");
  link.href = root.dataset.login; link.textContent = ` ${say("log_in_again")}`;
  line.append(link);
}

// Why the other way of answering would teach more now; nothing once the expert has chosen.
export function advise(text) {
  place("advice-text").textContent = text;
  place("advice").hidden = !text;
}

export function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));  // randomUUID is there on https and localhost only
  bytes[6] = (bytes[6] & 0x0f) | 0x40; bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// The second frame after a change begins when the first has been painted: no key counts for an image not yet seen.
export const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

// -- the instructions: once a revision, and with "?" ------------------------------------------------------------------
export function help() { if (dialog.open) dialog.close(); else fromTheTop(); }

// The button at the end has the focus, and the browser would scroll there, past the question.
function fromTheTop() {
  dialog.showModal();
  place("close").focus({ preventScroll: true });
  dialog.scrollTop = 0;
}

// The focus rests here where nothing else has it: keys act, and Tab leads to the answers.
export const toStage = () => document.getElementById("main").focus({ preventScroll: true });

export function setUpHelp(closed) {
  let byKey = false;  // whoever opened it by a key on its button finds the focus there again
  place("help").addEventListener("click", (event) => { byKey = event.detail === 0; help(); });
  place("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    try { localStorage.setItem(`${root.dataset.outbox}:read`, root.dataset.revision); } catch { /* shown again, then */ }
    if (!byKey) toStage();
    byKey = false;
    closed();
  });
}

export function openedBefore() {
  let read = null;
  try { read = localStorage.getItem(`${root.dataset.outbox}:read`); } catch { /* shown, then */ }
  if (read !== root.dataset.revision) fromTheTop();
}
