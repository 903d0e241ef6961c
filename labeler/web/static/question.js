// New question, step by step: images while one types, chosen for a class by a click. The form also works without this file.
import { setUpChoice } from "./question_choice.js";

const TYPING_MS = 450;  // after the last key, before images are asked for
const POLL_MS = 900;

const form = document.querySelector("[data-question]");
const parts = [...form.querySelectorAll("[data-step]")];
const get = (name) => form.querySelector(`[data-${name}]`);
const rows = () => [...form.querySelectorAll("[data-row]")];

// -- steps ------------------------------------------------------------------------------------------------------------
let at = 0;

function go(step, focus = true) {
  at = step;
  parts.forEach((part, place) => part.classList.toggle("now", place === at));
  form.classList.toggle("further", at > 0);  // the chosen images become a strip
  get("steps").querySelectorAll("button").forEach((button, place) => {
    if (place === at) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
  });
  get("back").hidden = at === 0;
  get("on").hidden = at === parts.length - 1;
  if (!focus) return;
  parts[at].querySelector("h2").focus({ preventScroll: true });
  form.scrollIntoView({ block: "start" });
}

// The first field before `step` that cannot be sent: its step is opened, and the browser says why.
function stopped(step) {
  const wrong = parts.slice(0, step).flatMap((part, place) => [...part.querySelectorAll("input, textarea")].map((field) => ({ field, place }))).find(({ field }) => !field.checkValidity());
  if (!wrong) return false;
  go(wrong.place, false);
  wrong.field.reportValidity();
  return true;
}

function onward(step) {
  if (step > at && stopped(step)) return;
  go(step);
}

form.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-go]");
  if (tab) onward(Number(tab.dataset.go));
});
get("back").addEventListener("click", () => go(at - 1));
get("on").addEventListener("click", () => onward(at + 1));
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input:not([type=checkbox])")) return;
  event.preventDefault();  // Enter leads on, and never creates a question that is half asked
  if (at < parts.length - 1) onward(at + 1);
});
form.addEventListener("submit", (event) => { if (stopped(parts.length)) event.preventDefault(); });

// -- names and keys ---------------------------------------------------------------------------------------------------
const name = form.elements.name;
let named = name.value !== "";  // by a person: then it stays

const SMALL = new Set("a an the is are does do it its in on of to at this these there that for you can".split(" "));

function slug(question) {
  const words = question.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, " ").trim().split(" ");
  const kept = words.filter((word) => !SMALL.has(word));
  return (kept.length ? kept : words).join("-").replace(/^[^a-z]+/, "").slice(0, 40).replace(/-+[^-]*$/, (end) => (end.length > 12 ? "" : end)).replace(/[^a-z0-9]+$/, "");
}

name.addEventListener("input", () => { named = name.value !== ""; });
form.elements.question.addEventListener("input", (event) => { if (!named) name.value = slug(event.target.value); });

function keys() {
  const list = get("key-row"), last = [...list.children].slice(-2);
  const names = rows().map((row) => row.querySelector("[data-class]").value.trim()).filter(Boolean);
  list.replaceChildren(...names.map((text, place) => {
    const item = document.createElement("li"), key = document.createElement("kbd");
    key.textContent = place + 1;
    item.append(key, text);
    return item;
  }), ...last);
}

// -- images while one types -------------------------------------------------------------------------------------------
const asked = new WeakMap();  // row -> {timer, abort, address}

const phrase = (row) => row.querySelector("[data-phrase]").value.trim();
const className = (row) => row.querySelector("[data-class]").value.trim();
const { marks, write, offered } = setUpChoice({ form, get, rows, phrase, className });

function addressOf(row) {
  const other = rows().find((one) => one !== row && phrase(one));
  const places = offered(row).map((place) => ["place", place]);
  return `${form.dataset.nearest}?${new URLSearchParams([["phrase", phrase(row)], ["against", other ? phrase(other) : ""], ...places])}`;
}

function look(row, wait = TYPING_MS) {
  const state = asked.get(row) || {};
  clearTimeout(state.timer);
  state.timer = setTimeout(() => load(row), wait);
  asked.set(row, state);
}

const alts = (node) => [...node.querySelectorAll("img")].map((image) => image.alt).join();

// While more is to come, what one looks at stays until other images are there, and no words are said twice.
function better(fresh, place) {
  if (fresh.querySelector("img")) return alts(fresh) !== alts(place);
  return !place.querySelector("img") && fresh.textContent.trim() !== place.textContent.trim();
}

async function load(row) {
  const state = asked.get(row), address = addressOf(row), place = row.querySelector("[data-pictures]");
  state.abort?.abort();
  if (!phrase(row)) { place.replaceChildren(); state.address = null; return; }
  if (state.address === address && !place.querySelector("[data-waiting]")) return;
  state.abort = new AbortController();
  if (state.wanted !== address) place.classList.add("stale");
  state.wanted = address;
  try {
    const reply = await fetch(address, { headers: { Accept: "text/html" }, signal: state.abort.signal });
    if (!reply.ok || reply.redirected) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").body;
    const waits = fresh.querySelector("[data-waiting]");
    if (!waits || better(fresh, place)) place.replaceChildren(...fresh.childNodes);
    state.address = waits ? null : address;
    marks();
    if (waits) look(row, Number(waits.dataset.waiting) || POLL_MS);
    place.classList.toggle("stale", waits?.dataset.waiting === "" && Boolean(place.querySelector("img")));
  } catch { /* typed on, or the console is restarting: the next key asks again */ }
}

form.addEventListener("input", (event) => {
  if (event.target.matches("[data-class]")) keys();
  if (event.target.matches("[data-class], [data-phrase]")) { write(); marks(); }
  // The near misses of the other rows depend on this prompt, too.
  if (event.target.matches("[data-phrase]")) rows().forEach((row) => look(row));
});

// -- a further class --------------------------------------------------------------------------------------------------
const MOST = 9;

get("add").addEventListener("click", () => {
  let row = rows().find((one) => one.matches(".spare:not(.open)"));
  if (!row) {
    const place = rows().length;
    row = rows().at(-1).cloneNode(true);
    row.querySelector("[data-pictures]").replaceChildren();
    row.querySelector("[data-pictures]").dataset.pictures = place;
    row.querySelector("kbd").textContent = place + 1;
    ["class", "phrase"].forEach((part) => {
      const field = row.querySelector(`[data-${part}]`), label = field.labels?.[0] ?? row.querySelector(`label[for^=${part}-]`);
      field.value = ""; field.required = false; field.id = `${part}-${place}`; label.htmlFor = field.id;
      if (part === "class") label.textContent = `Class ${place + 1}`;
    });
    form.querySelector(".class-rows").append(row);
  }
  row.classList.add("open");
  row.querySelector("[data-class]").focus();
  get("add").hidden = rows().filter((one) => !one.matches(".spare:not(.open)")).length >= MOST;
});

// -- begin ------------------------------------------------------------------------------------------------------------
form.noValidate = true;  // a field of another step would stop the form without a word
form.classList.add("stepped");
// Typed before this script was there: the name follows all the same, as without one no step leads on.
if (!named && form.elements.question.value) name.value = slug(form.elements.question.value);
["steps", "move", "add"].forEach((part) => { get(part).hidden = false; });
const wrong = parts.findIndex((part) => part.querySelector("[aria-invalid]"));
go(wrong === -1 ? 0 : wrong, false);
keys();
rows().forEach((row) => { if (phrase(row)) look(row, 0); });
marks();
