// Explore by keyboard and without reloads; all of it also works without this file.
"use strict";

const WAIT_MS = 300;

// -- the selection ----------------------------------------------------------------------------------------------------
const boxes = () => [...document.querySelectorAll("[data-mosaic] input[type=checkbox]")];

function count() {
  const place = document.querySelector("[data-picked]");
  if (!place) return;
  const chosen = boxes().filter((box) => box.checked).length + document.querySelectorAll("[data-elsewhere]").length;
  place.textContent = chosen;
  document.querySelector("[data-none]").hidden = chosen === 0;
}

function prepare() {
  document.querySelectorAll("[data-all], [data-keys]").forEach((part) => { part.hidden = false; });
  count();
}

document.addEventListener("change", (event) => { if (event.target.name === "pick") count(); });

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-all]")) boxes().forEach((box) => { box.checked = true; });
  else if (event.target.closest("[data-none]")) {
    boxes().forEach((box) => { box.checked = false; });
    document.querySelectorAll("[data-elsewhere]").forEach((held) => held.remove());
  } else return;
  count();
});

// The upload is a form of its own: it takes the selection along.
document.addEventListener("submit", (event) => {
  if (event.target.id !== "example") return;
  document.querySelectorAll("[data-elsewhere], [data-mosaic] input:checked").forEach((held) => {
    const copy = document.createElement("input");
    copy.type = "hidden"; copy.name = "pick"; copy.value = held.value;
    event.target.append(copy);
  });
});

// -- arrow keys -------------------------------------------------------------------------------------------------------
function vertical(all, from, step) {
  const here = from.closest("li").getBoundingClientRect();
  const middle = here.left + here.width / 2;
  const rows = all.map((box) => ({ box, at: box.closest("li").getBoundingClientRect() }))
    .filter(({ at }) => (step > 0 ? at.top > here.top + 4 : at.top < here.top - 4));
  if (!rows.length) return null;
  const edge = step > 0 ? Math.min(...rows.map(({ at }) => at.top)) : Math.max(...rows.map(({ at }) => at.top));
  const line = rows.filter(({ at }) => Math.abs(at.top - edge) < 4);
  const off = ({ at }) => Math.abs(at.left + at.width / 2 - middle);
  return line.reduce((best, one) => (off(one) < off(best) ? one : best)).box;
}

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-mosaic] input[type=checkbox]")) return;
  const all = boxes();
  const at = all.indexOf(event.target);
  const next = {
    ArrowRight: () => all[at + 1], ArrowLeft: () => all[at - 1], Home: () => all[0], End: () => all.at(-1),
    ArrowDown: () => vertical(all, event.target, 1), ArrowUp: () => vertical(all, event.target, -1),
    // Enter would press the first button of the form, which searches anew.
    Enter: () => { event.target.checked = !event.target.checked; count(); return event.target; },
  }[event.key];
  if (!next) return;
  event.preventDefault();
  const box = next();
  box?.focus();
  box?.closest("li").scrollIntoView({ block: "nearest" });
});

// -- wait for the workers ---------------------------------------------------------------------------------------------
async function wait() {
  while (document.querySelector("[data-waiting]")) {
    await new Promise((done) => { setTimeout(done, WAIT_MS); });
    try {
      const reply = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!reply.ok || reply.redirected) return location.reload();
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      const part = document.querySelector("[data-waiting]");
      const newer = fresh.getElementById(part.id);
      if (newer.hasAttribute("data-waiting")) { part.replaceChildren(...newer.childNodes); continue; }
      if (part.id !== "live-search") return location.reload();
      part.replaceWith(newer);
      prepare();
      onward();
    } catch { /* the console is restarting: the next turn will tell */ }
  }
}

// A page that only leads on, once what it waited for is there.
function onward() {
  const link = document.querySelector("[data-onward]");
  if (link) location.replace(link.href);
}

document.addEventListener("DOMContentLoaded", () => { prepare(); onward(); wait(); });
