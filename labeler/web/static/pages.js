// Pages of images. A click or a key ticks an image; Enter stores the page and shows the next, which is already here.
import { advise, ask, identity, openedBefore, Outbox, painted, PAUSED_MS, place, root, send, setUpHelp, toStage, trouble } from "./labelling.js";
import { Grid, TICK, UNSURE } from "./grid.js";
import { setUpKeys } from "./page_keys.js";
import { answered, take } from "./page_screens.js";
import { count, enable, end, named } from "./page_sums.js";
import { drafts, dropDraft, keepDraft, store, stored } from "./page_drafts.js";
import { say } from "./words.js";

const UNIT = 12;  // images on a page of the server's; a screen shows one, two or four
const SIZES = [12, 24, 48];
const AHEAD = 3;  // screens that wait, once fewer than two do
const POLL_MS = 700, MAKING_MS = 2000;  // between two looks for a page: while none is on the screen; while more are made
const SOONEST_MS = 400;  // nobody has looked at a page sooner: a key pressed twice stores one page
const WIDE = 1200;  // pixels of a window that 24 images fit

const classes = JSON.parse(root.dataset.classes);  // class -> its key

const state = {
  queue: [],  // pages to come
  past: [],  // screens that were answered, oldest first
  at: null,  // place in `past` while going back; null at the newest screen
  screen: null,  // {pages: [{page, once}], cells: [...]}
  shown: false,  // whether it has been painted: only then it can be submitted
  since: 0, seconds: 0, today: 0, waiting: 0, revision: Number(root.dataset.revision),
  size: SIZES.includes(Number(stored("size"))) ? Number(stored("size")) : window.innerWidth >= WIDE ? 24 : 12,
};

const outbox = new Outbox({
  body: ({ once, key, first, ticked, unsure, left, skip, seconds, more }) => ({ once, key, first, ticked, unsure, left, skip, seconds, more }),
  gone: say("gone"),
  weight: (row) => row.images,
  idle: () => refill(),
  paused: () => pause(),
  refused: (row) => {  // what is marked here is not what is stored
    if (state.at !== null) return;
    state.past.forEach((screen) => { screen.pages = screen.pages.filter((one) => one.once !== row.once); });
    state.past = state.past.filter((screen) => screen.pages.length);
    enable(state, grid);
  },
});

const grid = new Grid({ root: place("grid"), zoomed: place("zoomed"), changed: () => { keepTicks(); count(state, grid); }, look: () => count(state, grid) });

// -- pages to come ----------------------------------------------------------------------------------------------------
let refilling = false, poll = 0;

const perScreen = () => state.size / UNIT;

async function refill(again = false) {
  if (refilling || outbox.reloads) return;
  if (state.queue.length >= 2 * perScreen()) return;
  refilling = true;
  let making = false, paused = false;
  try {
    const found = await (await ask(`${root.dataset.next}?held=${[...heldKeys()].join(",")}`, outbox)).json();
    if (outbox.reloads) return;
    if (found.revision !== state.revision && !outbox.rows.size) { location.reload(); return; }
    const known = heldKeys();
    state.queue.push(...found.pages.filter((one) => !known.has(one.key)));
    state.today = found.today + outbox.answers();
    state.waiting = found.images;
    advise(found.advice);
    if (!state.past.length) state.past = found.past.map((page) => ({
      pages: [{ page, once: identity() }], marks: { [page.key]: page.marks }, skipped: page.skipped, left: { [page.key]: page.left },
    }));
    if (!outbox.rows.size) trouble("");
    paused = found.paused;
    if (paused) pause(); else making = await fill(again);
    preload();
    if (!state.screen && state.at === null && state.queue.length) next();
    count(state, grid);
  } catch (error) {
    trouble(error.text || "", error.login);
  } finally { refilling = false; }
  clearTimeout(poll);
  if (!state.screen || making) poll = setTimeout(refill, paused ? PAUSED_MS : state.screen ? MAKING_MS : POLL_MS);
}

// Nothing more comes from a stopped queue; the page on the screen stays, as ticks are work.
function pause() {
  state.queue = []; state.waiting = 0;
  if (!state.screen) { end(say("paused"), say("paused_text")); enable(state, grid); }
}

// Has more pages made where fewer than two screens are here, and says how that goes where none is; whether some are made.
async function fill(again) {
  const wanted = AHEAD * state.size * Math.min(Number(root.dataset.kinds), 4);
  if (state.queue.length >= 2 * perScreen()) return false;
  let making;
  try { making = await (await send(root.dataset.more, { images: wanted, again }, outbox)).json(); } catch (error) {
    if (state.screen || state.queue.length) return false;  // there is work; asked again with the next page
    throw error;
  }
  const under = making.state === "queued" || making.state === "running";
  if (state.screen || state.queue.length) return under;
  const hasFailed = making.state === "failed";
  end(say(making.state), hasFailed ? making.text : say(`${making.state}_text`), hasFailed);
  return under;
}

function heldKeys() {
  const mine = state.at === null && state.screen ? state.screen.pages.map(({ page }) => page) : [];
  return new Set([...state.queue, ...mine, ...(newest ? newest.pages.map(({ page }) => page) : []), ...outbox.rows.values()].map((one) => one.key));
}

function preload() {
  if (!state.queue.length) return;
  take(state.queue, state.size).forEach((page) => page.images.forEach((one) => grid.image(one)));
}

// -- the screen -------------------------------------------------------------------------------------------------------
let turn = 0, newest = null;  // the screen that was left to go back

async function show(screen, instead = {}) {
  const mine = ++turn;
  state.screen = screen; state.shown = false; state.seconds = 0;
  place("end").hidden = true;
  root.dataset.shown = "";
  const kept = drafts();
  const marks = (page) => instead[page.key] || kept[page.key] || (screen.marks || {})[page.key] || {};
  const page = screen.pages[0].page;
  place("class").textContent = named(page.ticked);
  place("rest").textContent = page.unticked === null ? say("rest_none") : say("rest_class", { class_name: named(page.unticked) });
  place("said").hidden = state.at === null;
  place("said").textContent = screen.skipped && page.unticked !== null ? say("skipped") : say("answered_page");
  grid.show(screen.pages.flatMap(({ page: one }) => one.images.map((image) => ({
    ...image, key: one.key, mark: marks(one)[image.place] || "", answered: answered(screen, one, image),
  }))));
  enable(state, grid);
  count(state, grid);
  await grid.ready();
  if (mine !== turn) return;
  await painted();
  if (mine !== turn) return;
  state.shown = true; state.since = performance.now();
  root.dataset.shown = screen.pages.map((one) => one.page.key).join(",");
  enable(state, grid); count(state, grid);
}

function next() {
  state.at = null;
  if (newest) { const screen = newest; newest = null; show(screen); return; }
  if (!state.queue.length) { state.screen = null; empty(); refill(); return; }
  const taken = take(state.queue, state.size);
  state.queue = state.queue.filter((page) => !taken.includes(page));
  show({ pages: taken.map((page) => ({ page, once: identity() })) });
  preload();
  refill();
}

function empty() {
  turn += 1;
  state.shown = false;
  root.dataset.shown = "";
  grid.clear();
  if (document.activeElement === document.body) toStage();
  end(say("loading"), "");
  enable(state, grid);
}

// -- what people do ---------------------------------------------------------------------------------------------------
function submit(skip = false) {
  if (!state.shown || performance.now() - state.since + state.seconds * 1000 < SOONEST_MS) return;
  if (!skip && grid.unseen()) { grid.scrollOn(); return; }  // no tick on an image that nobody saw says nothing
  const screen = state.screen, seconds = state.seconds + (performance.now() - state.since) / 1000;
  const images = screen.pages.reduce((sum, { page }) => sum + page.images.length, 0);
  const before = screen.marks, left = screen.left || {};
  screen.marks = Object.fromEntries(screen.pages.map(({ page }) => [page.key, skip ? {} : grid.marksOf(page.key)]));
  const wasSkipped = screen.skipped;
  screen.skipped = skip;
  screen.left = Object.fromEntries(screen.pages.map(({ page }) => [page.key, skip ? [] : grid.silent(page.key)]));
  const alike = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const same = !skip && before && !wasSkipped && screen.pages.every(({ page: { key } }) => alike(before[key] || {}, screen.marks[key]) && alike(left[key] || [], screen.left[key]));
  const rows = screen.pages.map(({ page, once }) => ({
    once, key: page.key, revision: state.revision, skip, images: page.images.length,
    first: state.at === null || Boolean(outbox.rows.get(once)?.first),
    ticked: skip ? [] : grid.places(page.key, TICK), unsure: skip ? [] : grid.places(page.key, UNSURE), left: skip ? [] : grid.silent(page.key),
    ...outbox.looked(once, Math.round(1000 * seconds * page.images.length / images) / 1000),
  }));
  dropDraft(screen.pages.map(({ page }) => page.key));
  if (state.at === null) {
    state.past.push(screen);
    state.today += skip ? 0 : images;
    outbox.put(...rows);
    next();
  } else {
    if (!same) outbox.put(...rows);
    forward();
  }
}

function back() {
  if (state.at === 0 || !state.past.length) return;
  if (state.at === null) newest = state.screen;
  state.at = (state.at === null ? state.past.length : state.at) - 1;
  show(state.past[state.at]);
}

function forward() {
  if (state.at === null) return;
  state.at += 1;
  if (state.at < state.past.length) show(state.past[state.at]); else next();
}

function resize(size) {
  if (size === state.size) return;
  state.size = size;
  store("size", String(size));
  if (state.at === null && state.screen) {  // its pages are dealt anew, with what was ticked on them
    const given = [...state.screen.pages.map(({ page }) => page), ...state.queue];
    state.queue = given; newest = null; state.screen = null;
    next();
  } else { if (newest) { state.queue.unshift(...newest.pages.map(({ page }) => page)); newest = null; } count(state, grid); refill(); }
}

function keepTicks() {
  if (state.screen) keepDraft(Object.fromEntries(state.screen.pages.map(({ page }) => [page.key, grid.marksOf(page.key)])));
}

function undo() { if (!grid.undo()) back(); }

setUpKeys(grid, { submit, back, forward, undo, classKey: () => state.screen && classes[state.screen.pages[0].page.ticked] });

place("submit").addEventListener("click", () => submit());
place("skip").addEventListener("click", () => submit(true));
place("undo").addEventListener("click", () => { grid.undo(); grid.focus(); });
place("back").addEventListener("click", back);
place("again").addEventListener("click", () => refill(true));
root.querySelectorAll("[data-size]").forEach((one) => one.addEventListener("click", () => { resize(Number(one.dataset.size)); grid.focus(); }));
setUpHelp(() => { state.since = performance.now(); if (document.activeElement.id === "main") grid.focus(); });
window.addEventListener("online", () => { outbox.flush(); refill(); });
document.addEventListener("visibilitychange", () => {  // time away is no look
  if (document.hidden) state.seconds += (performance.now() - state.since) / 1000;
  else { state.since = performance.now(); outbox.flush(); if (!state.screen) refill(); }
});

outbox.read();
openedBefore();
empty();
outbox.flush();
refill();
