// The images that are chosen: a row of pictures with the same boxes as in Explore's grid, so the same bar answers them.

import { json } from "./map_images.js";
import { CHOSEN } from "./map_states.js";

const EXAMPLES = 6;  // images that a new question begins with

export class Choice {
  constructor(stage, { list, part, said, address, most, question, failed }) {
    Object.assign(this, { stage, list, part, said, address, most, question, failed, points: new Map(), turn: 0 });
    list.querySelectorAll("[data-choose][data-at]").forEach((box) => this.points.set(Number(box.dataset.at), box));
    document.addEventListener("change", (event) => { if (event.target.matches("[data-choose]")) this.told(); });
    // The bar's own buttons and keys clear the boxes without an event.
    for (const name of ["click", "keydown"]) document.addEventListener(name, () => setTimeout(() => this.told(), 0));
    this.told();
  }

  checked() { return [...this.points].filter(([, box]) => box.checked); }

  // Marks on the map what is ticked in the row.
  told() {
    const now = this.checked().map(([i]) => i), key = now.join();
    this.part.hidden = !this.list.children.length;
    if (key === this.before) return;
    this.before = key;
    this.stage.mark(CHOSEN, now);
    this.stage.keepOutlines([]);
    if (this.question) {
      const address = new URL(this.question.href);
      address.searchParams.delete("in_scope");
      this.checked().slice(0, EXAMPLES).forEach(([, box]) => address.searchParams.append("in_scope", box.value));
      this.question.href = address; this.question.hidden = !now.length;
    }
  }

  toggle(i) {
    const box = this.points.get(i);
    if (box?.checked) { box.checked = false; box.dispatchEvent(new Event("change", { bubbles: true })); return Promise.resolve(); }
    return this.take([i], true);
  }

  // Chooses points, in place of those chosen before or besides them. The order of points is a shuffled one: where there
  // are more than a choice can hold, the first are a fair sample.
  // An `outline` around them stays until the choice changes.
  async take(inside, add, outline = null) {
    const before = this.stage.outlines, lines = [...(add ? before : []), ...(outline ? [outline] : [])];
    this.stage.keepOutlines(lines);
    const turn = this.turn += 1, kept = add ? this.checked().map(([i]) => i) : [];
    const wanted = [...new Set([...kept, ...inside.slice(0, this.most)])].slice(0, this.most), missing = wanted.filter((i) => !this.points.has(i));
    let images;
    try { images = missing.length ? (await json(`${this.address}?at=${missing.join(".")}`)).images : []; }
    catch (error) { this.failed(error.message); this.stage.keepOutlines(before); return; }
    if (turn !== this.turn) return;
    if (!add) { this.list.replaceChildren(...[...this.points].filter(([i]) => wanted.includes(i)).map(([, box]) => box.closest("li"))); }
    const held = new Set(wanted);
    for (const i of [...this.points.keys()]) if (!add && !held.has(i)) this.points.delete(i);
    for (const one of images) this.append(one);
    for (const i of wanted) if (this.points.has(i)) this.points.get(i).checked = true;
    const within = kept.length ? new Set(inside) : null, total = inside.length + kept.filter((i) => !within.has(i)).length;
    this.said.textContent = inside.length === 0 ? "No image is inside." : total > this.most
      ? `${many(inside.length)} inside. A choice holds at most ${this.most}: ${this.most} of them were chosen at random.`
      : `${many(inside.length)} inside, ${this.checked().length} chosen.`;
    (this.list.querySelector("[data-choose]") ?? document.body).dispatchEvent(new Event("change", { bubbles: true }));
    this.told();
    this.stage.keepOutlines(lines);
  }

  append(one) {
    const item = document.createElement("li"), label = document.createElement("label"), box = document.createElement("input");
    item.className = `r${Math.max(5, Math.min(24, Math.round((10 * one.width) / (one.height || 1))))}`;
    label.className = "pickable";
    Object.assign(box, { type: "checkbox", name: "pick", value: one.id, checked: true });
    box.dataset.choose = ""; box.dataset.at = one.at; box.setAttribute("aria-label", `Choose ${one.id}`);
    const picture = new Image(one.width, one.height);
    Object.assign(picture, { alt: "", loading: "lazy", decoding: "async", src: one.thumbnail });
    label.append(box, picture); item.append(label); this.list.append(item);
    this.points.set(one.at, box);
  }
}

const many = (count) => `${count.toLocaleString("en").replaceAll(",", "\u202f")} ${count === 1 ? "image is" : "images are"}`;
