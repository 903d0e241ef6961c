// What the console does by itself; every page also works without it.
"use strict";

const POLL_MS = 3000;

// -- copy a command ---------------------------------------------------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

function showCopyButtons() {
  // The clipboard is there on https and localhost only.
  if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
}

// -- tell what a mark of a chart means --------------------------------------------------------------------------------
let tip = null;

document.addEventListener("pointermove", (event) => {
  const mark = event.target.closest?.("[data-tip]");
  if (!mark) { tip?.remove(); tip = null; return; }
  if (!tip) { tip = document.createElement("div"); tip.className = "tip"; document.body.append(tip); }
  tip.textContent = mark.dataset.tip;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${event.clientY - tip.offsetHeight - 12}px`;
});

// -- what a word means, below the word -------------------------------------------------------------------------------
document.addEventListener("toggle", (event) => {
  const text = event.target, word = document.querySelector(`[popovertarget="${text.id}"]`);
  if (!text.matches?.(".word-text") || event.newState !== "open" || !word) return;
  const at = word.getBoundingClientRect(), below = at.bottom + text.offsetHeight + 16 < window.innerHeight;
  text.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - text.offsetWidth - 8))}px`;
  text.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - text.offsetHeight - 8)}px`;
}, true);

// -- keep a page fresh ------------------------------------------------------------------------------------------------
// Parts whose id begins with "live-" are taken anew from the page itself; one that holds the focus or an opened detail is
// left alone, so that nobody is interrupted.
async function refresh(address) {
  const reply = await fetch(address, { headers: { Accept: "text/html" } });
  if (!reply.ok || reply.redirected) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  document.querySelectorAll("[id^='live-']").forEach((part) => {
    const newer = fresh.getElementById(part.id);
    const busy = part.contains(document.activeElement) || part.querySelector("details[open]");
    if (newer && !busy && newer.innerHTML !== part.innerHTML) part.replaceChildren(...newer.childNodes);
  });
  showCopyButtons();
}

function every(milliseconds, act) {
  let busy = false;
  setInterval(async () => {
    if (busy || document.hidden) return;
    busy = true;
    try { await act(); } catch { /* the console is restarting: the next turn will tell */ } finally { busy = false; }
  }, milliseconds);
}

function follow(root) {
  let last = JSON.stringify(JSON.parse(root.dataset.now)); // what the page shows: news may come before the first turn
  every(POLL_MS, async () => {
    const reply = await fetch(root.dataset.live, { headers: { Accept: "application/json" } });
    document.querySelector("[data-stale]").hidden = reply.status !== 401;
    if (!reply.ok) return;
    const now = await reply.json(), text = JSON.stringify(now);
    if (text !== last) {
      showCounts(now);
      await refresh(root.dataset.page);
    }
    last = text;
  });
}

function showCounts(now) {
  document.querySelectorAll("[data-count]").forEach((place) => {
    place.textContent = now[place.dataset.count].toLocaleString("en").replaceAll(",", "\u202f");
  });
  document.querySelectorAll("[data-plural]").forEach((place) => {
    place.hidden = now[place.dataset.plural] === 1;
  });
  document.querySelector("[data-announce]").textContent = `${now.answers} answer${now.answers === 1 ? "" : "s"}`;
}

// -- sections that stand in another tab, or behind a closed detail ----------------------------------------------------
function findSection() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  const here = document.getElementById(id);
  const places = document.querySelector("[data-sections]");
  if (!here && places) {
    const there = JSON.parse(places.dataset.sections)[id];
    if (there && there !== location.pathname) location.replace(`${there}#${encodeURIComponent(id)}`);
    return;
  }
  const closed = here?.closest("details:not([open])");
  if (closed) { closed.open = true; here.scrollIntoView(); }
}

addEventListener("hashchange", findSection);

document.addEventListener("DOMContentLoaded", () => {
  showCopyButtons();
  findSection();
  const live = document.querySelector("[data-live]");
  if (live) follow(live);
  const shown = document.querySelector("[data-refresh]");
  if (shown) every(POLL_MS, () => refresh(shown.dataset.refresh));
});
