// Keys of scoping: the group is answered by one, images are reached by arrows. Works without this, by buttons.
import { help, root, setUpHelp, dialog } from "./labelling.js";

const form = root.querySelector("[data-group]");
const answers = form ? [...form.querySelectorAll("[data-key]")] : [], ticks = form ? [...form.querySelectorAll("[name=ticked]")] : [];
const only = answers.find((one) => one.value === "ticked");

function move(step) {
  const at = ticks.indexOf(document.activeElement);
  ticks[at < 0 ? 0 : Math.min(ticks.length - 1, Math.max(0, at + step))]?.focus();
}

const keys = { ArrowLeft: () => move(-1), ArrowRight: () => move(1), "?": help };

document.addEventListener("keydown", (event) => {
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
  answers.forEach((one) => { one.disabled = one === only ? !some : some && one.value !== "skip"; });
}
if (form) {
  form.addEventListener("change", follow);
  // A second press would be a second decision.
  form.addEventListener("submit", () => setTimeout(() => answers.forEach((one) => { one.disabled = true; })));
  window.addEventListener("pageshow", follow);  // also the browser's way back
}
setUpHelp(() => document.activeElement?.blur());
