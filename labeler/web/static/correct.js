// One own answer, opened to be corrected: a class key changes it, Backspace leaves it as it is. Works without this, by buttons.
import { help, place, root, setUpHelp, dialog } from "./labelling.js";

const picture = place("picture"), small = picture.firstElementChild, form = root.querySelector("form.choices");
const answers = [...form.querySelectorAll("[data-key]")];

async function zoom() {
  if (picture.classList.toggle("zoomed")) {
    const whole = new Image();
    whole.alt = picture.dataset.wholeAlt; whole.src = picture.dataset.whole;
    await whole.decode().catch(() => {});
    if (picture.classList.contains("zoomed")) picture.replaceChildren(whole);
  } else picture.replaceChildren(small);
}

const keys = {
  Backspace: () => place("leave").click(), ArrowLeft: () => place("leave").click(), Escape: () => place("leave").click(),
  " ": zoom, "?": help,
};

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || (dialog.open && event.key !== "?")) return;
  if (event.key === " " && event.target.closest?.("button, a")) return;
  const chosen = answers.find((one) => one.dataset.key === event.key.toLowerCase());
  const act = chosen ? () => chosen.click() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// A second press would be a second answer.
form.addEventListener("submit", () => setTimeout(() => answers.forEach((one) => { one.disabled = true; })));
window.addEventListener("pageshow", () => answers.forEach((one) => { one.disabled = false; }));  // the browser's way back
picture.addEventListener("click", zoom);
setUpHelp(() => document.activeElement?.blur());
