// What the points are coloured by: the choice, the legend with counts, and the groups that are shown alone.

import { unpacked } from "./map_codes.js";
import { GONE } from "./map_geometry.js";
import { bytes } from "./map_images.js";
import { css } from "./map_tones.js";

export class Legend {
  constructor(stage, tones, { address, pages, select, list, failed, chosen }) {
    Object.assign(this, { stage, tones, address, pages, select, list, failed, chosen, groups: [], shades: false, none: 0, only: new Set(), turn: 0 });
    select?.addEventListener("change", () => this.load(select.value));
    list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-code]");
      if (!row) return;
      if (event.target.closest("[data-take]")) this.take(Number(row.dataset.code)); else this.alone(Number(row.dataset.code));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  // `asked`: the bytes, where they were asked for before the map was there.
  async load(by, asked = null) {
    const turn = this.turn += 1;
    try {
      const content = by ? await (asked ?? bytes(`${this.address}?by=${encodeURIComponent(by)}`)) : null;
      if (turn !== this.turn) return;
      Object.assign(this, unpacked(content, this.stage.x.length));
    } catch (error) { this.failed(error.message); return; }
    const address = new URL(location.href);
    if (by) address.searchParams.set("by", by); else address.searchParams.delete("by");
    history.replaceState(null, "", address);
    this.only.clear();
    this.paint();
    this.stage.hide(null);
  }

  paint() {
    this.palette = this.tones.palette(this.groups, this.shades);
    this.stage.colour(this.codes, this.palette, this.tones.of("--ink"));
    this.list.replaceChildren(...this.groups.map((group, i) => this.row(group, i + 1)));
    if (this.groups.length && this.none) this.list.append(this.row({ text: "no group", count: this.none }, 0));
    this.list.hidden = !this.groups.length;
  }

  row(group, code) {
    const item = document.createElement("li"), show = button("group", group.text), take = button("take", "Choose");
    const swatch = document.createElement("span"), many = document.createElement("span");
    swatch.className = "swatch"; swatch.style.background = css(this.palette.subarray(4 * code, 4 * code + 3));
    many.className = "figures soft"; many.textContent = group.count.toLocaleString("en").replaceAll(",", "\u202f");
    show.prepend(swatch); show.append(many);
    show.setAttribute("aria-pressed", String(this.only.has(code)));
    take.dataset.take = ""; take.setAttribute("aria-label", `Choose ${group.text}`); take.disabled = !group.count;
    item.dataset.code = code; item.append(show, take);
    return item;
  }

  // Shows one group without the others; pressed again, all of them.
  alone(code) {
    if (this.only.has(code)) this.only.delete(code); else this.only.add(code);
    this.stage.hide(this.only.size ? this.only : null);
    this.list.querySelectorAll("[data-code]").forEach((row) => row.firstChild.setAttribute("aria-pressed", String(this.only.has(Number(row.dataset.code)))));
  }

  take(code) {
    const found = [];
    this.codes.forEach((one, i) => { if (one === code && this.stage.x[i] !== GONE) found.push(i); });
    this.chosen(found, false);
  }

  // The page of the cluster that a point is in; "" where it is in none.
  pageOf(i) { const cluster = this.groups[(this.codes?.[i] || 0) - 1]?.cluster; return cluster ? `${this.pages}/${cluster.join("/")}` : ""; }

  named(i) { const code = this.codes?.[i]; return code ? this.groups[code - 1].text : ""; }
}

function button(name, text) {
  const element = document.createElement("button");
  element.type = "button"; element.className = name; element.append(Object.assign(document.createElement("span"), { textContent: text, className: "words" }));
  return element;
}
