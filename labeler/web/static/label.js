// The labelling page. One key answers and goes on; answers wait in an outbox of this browser until they are stored.
import { enlarge, QuestionImages } from "./question_images.js";
import { say, tell } from "./words.js";
import { advise, ask, dialog, help, identity, openedBefore, Outbox, painted, PAUSED_MS, place, RETRY_MS, root, setUpHelp, toStage, trouble } from "./labelling.js";

const PRELOAD = 3;  // images that are in the browser before they are needed
const REFILL = 8;  // fewer known questions than this: ask for more
const EMPTY_POLL_MS = 2000;
const FLASH_MS = 140;

const choices = [...root.querySelectorAll("[data-value]")];
const picture = place("picture");

const state = {
  queue: [],  // questions to come
  past: [],  // {question, value, once}: answers given, oldest first
  at: null,  // place in `past` while going back; null at the newest question
  current: null,  // the question on the stage
  shown: null,  // the same, once its image is painted: only then do keys count
  since: 0, left: 0, today: 0, paused: false, revision: Number(root.dataset.revision),
  tried: null,  // the question whose image came and could not be decoded
};

const images = new QuestionImages();

const outbox = new Outbox({
  body: ({ once, key, first, value, seconds, more }) => ({ once, key, first, value, seconds, more }),
  gone: say("gone"),
  latest: true,
  idle: () => refill(),
  paused: () => pause(true),
  refused: (row) => { if (state.at === null) state.past = state.past.filter((one) => one.once !== row.once); },
});
const waiting = (what) => outbox.waiting(what);

// -- questions --------------------------------------------------------------------------------------------------------
let refilling = false, poll = 0;

async function refill() {
  if (refilling || outbox.reloads || state.queue.length >= REFILL) return;
  refilling = true;
  try {
    const reply = await ask(`${root.dataset.next}?held=${[...heldKeys()].join(",")}`, outbox);
    const found = await reply.json();
    if (outbox.reloads) return;
    if (found.revision !== state.revision && !outbox.rows.size) { location.reload(); return; }
    const known = heldKeys();
    state.queue.push(...found.questions.filter((one) => !known.has(one.key)));
    state.left = found.left; state.today = found.today + [...outbox.rows.values()].filter((row) => row.value !== "skip").length;
    if (!state.past.length) state.past = found.past.map(({ value, ...question }) => ({ question, value, once: identity() }));
    pause(found.paused);
    if (!outbox.rows.size) trouble("");
    advise(found.advice);
    count();
    preload();
    if (!state.current && state.at === null && !state.paused) next();
  } catch (error) {
    trouble(error.text || "", error.login);
    if (!state.current) setTimeout(refill, EMPTY_POLL_MS);
  } finally { refilling = false; }
}

// A stopped queue asks nothing: also what is on the stage goes, unless it is an answer of before.
function pause(on) {
  state.paused = on;
  if (on) { state.queue = []; state.left = 0; count(); if (state.at === null) empty(); }
}

// Questions that need not be told again: those to come, the one on the stage, and those whose answers are on their way.
function heldKeys() {
  const rows = [...state.queue, ...(state.current ? [state.current] : []), ...outbox.rows.values()];
  return new Set(rows.map((one) => one.key));
}

const preload = () => state.queue.slice(0, PRELOAD).forEach((one) => images.of(one));

// -- the stage --------------------------------------------------------------------------------------------------------
let turn = 0;

async function show(question, value = null) {
  const mine = ++turn;
  state.current = question; state.shown = null;
  enable(false);
  place("end").hidden = true;
  picture.classList.remove("zoomed");
  const held = images.of(question);
  choices.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.value === value)));
  if (value === null) place("said").textContent = ""; else tell(place("said"), choices, value);
  place("undo").disabled = state.at === null ? !state.past.length : state.at === 0;
  if (!held.element.complete) { picture.replaceChildren(); picture.classList.add("waits"); }
  try { await held.ready; } catch {
    if (mine === turn) await missing(question, value, mine);
    return;
  }
  if (mine !== turn) return;
  picture.classList.remove("waits");
  picture.replaceChildren(held.element);
  await painted();
  if (mine !== turn) return;
  state.shown = question; state.since = performance.now(); state.tried = null;
  root.dataset.shown = question.key;
  if (!outbox.rows.size) trouble("");
  enable(true);
}

// An image that did not come: for want of a connection, and then it is asked for again, or because it cannot be shown.
async function missing(question, value, mine) {
  picture.replaceChildren(); picture.classList.add("waits");
  let reply = null;
  try { reply = await fetch(question.image); await reply.blob(); } catch { reply = null; }
  if (mine !== turn) return;
  if (reply && (!reply.ok || state.tried === question.key)) { broken(question); return; }
  if (reply) state.tried = question.key;  // the connection came back meanwhile: once more, then it is the image
  else { trouble(waiting(say("no_connection"))); await new Promise((done) => setTimeout(done, RETRY_MS[1])); }
  if (mine === turn) show(question, value);
}

function broken(question) {
  picture.classList.remove("waits");
  const line = document.createElement("p");
  line.className = "broken"; line.textContent = say("broken");
  picture.replaceChildren(line);
  images.forget(question);
  state.shown = question; state.since = performance.now();
  choices.forEach((one) => { one.disabled = one.dataset.value !== "skip"; });
}

let pressedByKey = null;  // the button that had the focus when it answered

function enable(on) {
  choices.forEach((one) => { one.disabled = !on; });
  if (!on || document.activeElement !== document.body) return;
  if (pressedByKey) pressedByKey.focus(); else toStage();
  pressedByKey = null;
}

function next() {
  state.at = null;
  const question = state.queue.shift();
  if (question) { show(question); preload(); } else { empty(); }
  if (state.queue.length < REFILL) refill();
  images.keep([...state.queue.slice(0, PRELOAD + 1), ...state.past.slice(-5).map((one) => one.question), ...(question ? [question] : [])]);
}

function empty() {
  turn += 1;
  state.current = state.shown = null;
  enable(false);
  if (document.activeElement === document.body) toStage();
  picture.classList.remove("waits"); picture.replaceChildren();
  place("said").textContent = ""; place("undo").disabled = !state.past.length;
  place("end").hidden = false;
  const why = outbox.rows.size ? "storing" : state.paused ? "paused" : "empty";
  place("end-title").textContent = say(why);
  place("end-text").textContent = say(`${why}_text`);
  clearTimeout(poll); poll = setTimeout(() => { if (!state.current && state.at === null) refill(); }, why === "paused" ? PAUSED_MS : EMPTY_POLL_MS);
}

function count() {
  place("today").textContent = say("today", { count: state.today });
  place("left").textContent = say("left", { count: Math.max(state.left, state.queue.length) });
}

// -- what people do ---------------------------------------------------------------------------------------------------
function answer(value) {
  const question = state.shown;
  if (!question) return;
  const pressed = choices.find((one) => one.dataset.value === value);
  if (pressed.disabled) return;
  pressed.classList.add("pressed");
  setTimeout(() => pressed.classList.remove("pressed"), FLASH_MS);
  const seconds = Math.round(performance.now() - state.since) / 1000;
  state.shown = null;
  if (state.at === null) {
    const once = identity();
    state.past.push({ question, value, once });
    if (value !== "skip") state.today += 1;
    state.left -= 1;
    outbox.put({ once, key: question.key, first: true, value, seconds, revision: state.revision });
    next();
  } else {
    const row = state.past[state.at];
    if (row.value !== value) {
      row.value = value;
      const first = Boolean(outbox.rows.get(row.once)?.first);
      outbox.put({ once: row.once, key: question.key, first, value, ...outbox.looked(row.once, seconds), revision: state.revision });
    }
    forward();
  }
  root.dataset.unsent = outbox.rows.size;
  count();
}

function back() {
  if (state.at === 0 || !state.past.length) return;
  if (state.at === null && state.current) state.queue.unshift(state.current);
  state.at = (state.at === null ? state.past.length : state.at) - 1;
  show(state.past[state.at].question, state.past[state.at].value);
}

function forward() {
  if (state.at === null) return;
  state.at += 1;
  if (state.at < state.past.length) show(state.past[state.at].question, state.past[state.at].value);
  else next();
}

async function zoom(event) {
  const question = state.shown;
  if (!question) return;
  if (picture.classList.contains("zoomed")) {
    picture.classList.remove("zoomed");
    picture.replaceChildren(images.of(question).element);
    return;
  }
  await enlarge(picture, question, event, () => state.shown === question);
}

document.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.closest?.(".choice")) event.preventDefault();  // a held key answers one image
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") { event.preventDefault(); help(); return; }
  if (dialog.open) return;
  const onButton = event.target.closest?.("button, a");
  if (["Backspace", "ArrowLeft", "PageUp"].includes(event.key)) { event.preventDefault(); back(); return; }
  if (["ArrowRight", "PageDown"].includes(event.key)) { event.preventDefault(); forward(); return; }
  if ((event.key === " " && !onButton) || event.key === "+" || event.key === "=") { event.preventDefault(); zoom(); return; }
  const chosen = choices.find((one) => one.dataset.key === event.key.toLowerCase());
  if (chosen) { event.preventDefault(); answer(chosen.dataset.value); }
});

choices.forEach((one) => one.addEventListener("click", (event) => {
  pressedByKey = event.detail ? null : one;
  answer(one.dataset.value);
  if (event.detail) toStage();
}));
picture.addEventListener("click", zoom);
place("zoom").addEventListener("click", (event) => { zoom(); if (event.detail) toStage(); });
place("undo").addEventListener("click", (event) => { back(); if (event.detail) toStage(); });
setUpHelp(() => { state.since = performance.now(); });  // reading is not looking
window.addEventListener("online", () => { outbox.flush(); refill(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) { outbox.flush(); state.since = performance.now(); } });

outbox.read();
openedBefore();
picture.classList.add("waits");
outbox.flush();
refill();
