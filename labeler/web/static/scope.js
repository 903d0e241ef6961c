// Keys of scoping: the group is answered by one, images are reached by arrows. Works without this, by buttons.
import { help, painted, root, setUpHelp, dialog } from "./labelling.js";

const SOONEST_MS = 400;  // nobody has looked at a group sooner: a key pressed twice answers one group
const form = root.querySelector("[data-group]");
const answers = form ? [...form.querySelectorAll("[data-key]")] : [];
const only = answers.find((one) => one.value === "ticked");
let ticks = form ? [...form.querySelectorAll("[name=ticked]")] : [];
let seen = false, sent = false;  // whether the images are painted; whether the group was answered

function move(step) {
  const at = ticks.indexOf(document.activeElement);
  ticks[at < 0 ? 0 : Math.min(ticks.length - 1, Math.max(0, at + step))]?.focus();
}

const keys = { ArrowLeft: () => move(-1), ArrowRight: () => move(1), "?": help };

document.addEventListener("keydown", (event) => {
  // In the note and on a tick Enter would press the first answer.
  if (event.key === "Enter" && event.target.closest?.("[data-group] input")) { event.preventDefault(); return; }
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || (dialog.open && event.key !== "?")) return;
  if (event.target.closest?.("input:not([type=checkbox])")) return;
  const chosen = answers.find((one) => one.dataset.key === event.key && !one.disabled);
  const act = chosen ? () => chosen.click() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Without a tick nothing is "only the ticked"; with one, an answer for all would throw the ticks away.
function follow() {
  const some = ticks.some((one) => one.checked);
  answers.forEach((one) => {
    const fits = one === only ? some : one.value === "skip" || (!some && ticks.length > 0);
    one.disabled = !seen || sent || !fits;
  });
}

// An image that did not load was not seen, so it gets no answer; of a group without images only Skip is left.
async function look() {
  const members = [...form.querySelectorAll("[data-member]")];
  const came = await Promise.all(members.map((one) => one.querySelector("img").decode().then(() => true, () => false)));
  ticks = ticks.filter((one) => came[members.indexOf(one.closest("[data-member]"))]);
  members.forEach((one, at) => {
    if (came[at]) return;
    one.classList.add("lost");
    one.querySelectorAll("input").forEach((field) => { field.disabled = field.name === "ticked" || ticks.length > 0; });
  });
  await painted();
  setTimeout(() => { seen = true; form.dataset.seen = ""; follow(); }, SOONEST_MS);
}

if (form) {
  form.addEventListener("change", follow);
  form.addEventListener("submit", (event) => {  // a second press would be a second decision
    if (sent) event.preventDefault();
    sent = true;
    setTimeout(follow);
  });
  window.addEventListener("pageshow", () => { sent = false; follow(); });  // also the browser's way back
  follow();
  look();
}
setUpHelp(() => document.activeElement?.blur());
