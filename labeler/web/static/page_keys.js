// The keys of pages of images. `classKey` says the key of the class that a tick means now.

import { TICK, UNSURE } from "./grid.js";
import { dialog, help } from "./labelling.js";

export function setUpKeys(grid, { submit, back, forward, undo, classKey }) {
  const keys = {
    ArrowLeft: () => grid.move(-1, 0), ArrowRight: () => grid.move(1, 0), ArrowUp: () => grid.move(0, -1), ArrowDown: () => grid.move(0, 1),
    Home: () => grid.focus(0), End: () => grid.focus(-1),
    " ": () => grid.mark(TICK), u: () => grid.mark(UNSURE), 0: () => grid.mark(UNSURE), z: () => grid.undo(), Backspace: undo,
    Enter: () => submit(), "-": () => submit(true), "+": () => grid.zoom(), "=": () => grid.zoom(), PageUp: back, PageDown: forward,
  };
  document.addEventListener("keydown", (event) => {
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") { event.preventDefault(); help(); return; }
    if (dialog.open) return;
    if (event.key === "Escape") { grid.unzoom(); return; }
    const button = event.target.closest?.("button, a");
    if ((event.key === "Enter" || event.key === " ") && button && !grid.holds(button)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = keys[key] || (classKey() === key ? () => grid.mark(TICK) : null);
    if (!act) return;
    event.preventDefault();
    act();
  });
}
