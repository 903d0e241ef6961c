// What stands around a page of images: its sums and buttons, and the words that take its place where there is none.

import { place, root } from "./labelling.js";
import { say } from "./words.js";

const names = JSON.parse(root.dataset.names);  // class -> what it is called in the language of the page
export const named = (value) => names[value] ?? value;

export function end(title, text, hasFailed = false) {
  place("end").hidden = false;
  place("end-title").textContent = title; place("end-text").textContent = text;
  place("again").hidden = !hasFailed;
  place("end-text").lang = hasFailed ? "en" : document.documentElement.lang;  // what a job says of itself is English
}

export function enable(state, grid) {
  place("back").disabled = state.at === null ? !state.past.length : state.at === 0;
  place("undo").disabled = !grid.changes.length;
  place("submit").disabled = place("skip").disabled = !state.shown;
}

export function count(state, grid) {
  place("today").textContent = say("today", { count: state.today });
  const here = state.screen ? state.screen.pages.reduce((sum, one) => sum + one.page.images.length, 0) : 0;
  place("waiting").textContent = say("ready", { count: state.queue.reduce((sum, page) => sum + page.images.length, 0) + (state.at === null ? here : 0) });
  place("undo").disabled = !grid.changes.length;
  root.querySelectorAll("[data-size]").forEach((one) => one.setAttribute("aria-pressed", String(Number(one.dataset.size) === state.size)));
  if (!state.screen) { place("sum").textContent = ""; return; }
  const marks = grid.counts(), page = state.screen.pages[0].page, below = grid.unseen();
  const parts = [`${marks.tick} ${named(page.ticked)}`];
  if (page.unticked !== null) parts.push(`${marks.none} ${named(page.unticked)}`);
  if (marks.unsure) parts.push(`${marks.unsure} ${say("unsure")}`);
  place("sum").textContent = parts.join(" · ");
  place("submit-text").textContent = below ? say("show_more", { count: below }) : say(state.at === null ? "submit" : "save");
}
