// The map's page: fetches and paints the points, and then joins the stage, the hands, the legend, the pictures, the choice
// and the search. What the first painting does not need is imported beside it.

import { unpacked } from "./map_codes.js";
import { Images, bytes, json } from "./map_images.js";
import { Stage } from "./map_stage.js";
import { LIT } from "./map_states.js";
import { Tones } from "./map_tones.js";

const root = document.querySelector("[data-map]"), data = root?.dataset;
const part = (name) => document.querySelector(`[data-${name}]`);
const trouble = (text) => { part("map-trouble").textContent = text; part("map-trouble").hidden = !text; };
const SEARCH_MS = 400;

async function begin() {
  // The very addresses that the page's head asks for already.
  const positions = bytes(data.positions), colours = data.coloured ? bytes(data.coloured) : null;
  for (const one of [positions, colours]) one?.catch(() => {});  // told where it is awaited
  const others = Promise.all([import("./map_card.js"), import("./map_choice.js"), import("./map_hands.js"), import("./map_legend.js"), import("./map_pictures.js")]);
  others.catch(() => {});
  const tones = new Tones(root), stage = new Stage(root, new URL(location.href).searchParams.get("drawn") ?? "");
  stage.load(new Uint16Array(await positions));
  await firstPaint(stage, tones, await Promise.race([colours, null]).catch(() => null));
  const [{ Card }, { Choice }, { Hands }, { Legend }, { Pictures }] = await others;
  const images = new Images(data.images, trouble), said = part("map-said");
  const choice = new Choice(stage, { list: part("mosaic"), part: part("chosen"), said, address: data.images, most: Number(data.most), question: part("new-question"), failed: trouble });
  const legend = new Legend(stage, tones, { address: data.colours, pages: data.clusters, select: part("by"), list: part("legend"), failed: trouble, chosen: (found, add) => choice.take(found, add) });
  const card = new Card(stage, part("card"), images, legend);
  const pictures = new Pictures(stage, part("pictures"), images);
  const hands = new Hands(stage, {
    drawn: (found, add, outline) => { choice.take(found, add || part("add").checked, outline); },
    pressed: (i) => card.pin(i),
    pointed: (i) => card.hover(i),
    moving: () => { if (!card.pinned) card.hide(); },
    aimed: (i) => { if (i >= 0) card.show(i).then(() => { if (images.get(i)) said.textContent = `In the middle: ${images.get(i).id}, ${images.get(i).title}.`; }); },
    toggled: (i) => { if (i >= 0) choice.toggle(i).then(() => card.show(i)); },
  });
  tools(stage, hands, pictures, card, choice);
  search(stage, said);
  if (part("by")) part("by").value = data.by;  // a browser may have kept another
  await legend.load(data.by, colours);
  stage.paint();
  performance.mark("map-whole");
  if (data.focus) { const i = Number(data.focus); stage.goTo(i); card.pin(i); stage.mark(LIT, [i]); }
  root.dataset.ready = stage.x.length;
  Object.assign(window, { attuneMap: { stage, legend, choice, hands } });
}

// The points, in the colours where these are here by now: nobody waits for a legend to see the map.
async function firstPaint(stage, tones, content) {
  const { groups, shades, codes } = unpacked(content, stage.x.length);
  stage.colour(codes, tones.palette(groups, shades), tones.of("--ink"));
  stage.paint();
  for (let frames = 0; frames < 2; frames += 1) await new Promise((done) => { requestAnimationFrame(done); });
  performance.mark("map-painted");
}

// -- the buttons --------------------------------------------------------------------------------------------------------
function tools(stage, hands, pictures, card, choice) {
  const acts = { in: () => hands.zoom(1.5), out: () => hands.zoom(1 / 1.5), whole: () => stage.fit(true), move: () => mode("move"), draw: () => mode("draw") };
  const mode = (name) => {
    hands.mode = name; root.dataset.mode = name;
    document.querySelectorAll("[data-tool=move], [data-tool=draw]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.tool === name)));
  };
  document.querySelectorAll("[data-tool]").forEach((one) => one.addEventListener("click", () => acts[one.dataset.tool]()));
  part("show-pictures").addEventListener("change", (event) => pictures.toggle(event.target.checked));
  part("toggle").addEventListener("click", () => choice.toggle(card.point).then(() => card.show(card.point)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !card.element.hidden) { card.hide(); event.stopImmediatePropagation(); } }, true);
}

// -- the search: what it finds lights up ----------------------------------------------------------------------------------
function search(stage, said) {
  const form = part("light"), dark = part("unlight");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    trouble("");
    const text = form.querySelector("input").value.trim();
    if (!text) return;
    try {
      let found = { waits: true };
      while (found.waits) {
        found = await json(`${data.search}?q=${encodeURIComponent(text)}`);
        if (found.waits) { said.textContent = found.workers ? "Searching…" : "No worker is running. Start the workers with: attune up"; await new Promise((done) => { setTimeout(done, SEARCH_MS); }); }
      }
      stage.mark(LIT, found.at);
      dark.hidden = false;
      said.textContent = `The ${found.at.length} images most similar to “${text}” are lit.`;
    } catch (error) { trouble(error.message); }
  });
  dark?.addEventListener("click", () => { stage.mark(LIT, []); dark.hidden = true; said.textContent = ""; });
}

if (root) begin().catch((error) => trouble(error.message));
