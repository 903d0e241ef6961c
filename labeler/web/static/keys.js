// The keys of every console page: ? shows them, / leads to the search. The labelling page has keys of its own.
"use strict";

{  // names of its own: console.js runs beside it
const map = document.querySelector("[data-keys-map]");
let before = null;  // what had the focus when the map was opened

function showKeys() {
  before = document.activeElement;
  map.showModal();
}

// No key acts while somebody types.
const types = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || types(event.target)) return;
  if (event.key === "?") {
    event.preventDefault();
    if (map.open) map.close(); else showKeys();
  } else if (event.key === "/" && !map.open) {
    const field = document.querySelector("main input[type=search]:not(:disabled)");
    event.preventDefault();
    if (field) { field.focus(); field.select(); } else { location.assign(map.dataset.search); }
  }
});

document.querySelectorAll("[data-keys-open]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", showKeys);
});
map.querySelector("[data-keys-close]").addEventListener("click", () => map.close());
map.addEventListener("click", (event) => { if (event.target === map) map.close(); });
map.addEventListener("close", () => { before?.focus(); });
}
