// The card of one image: the ring comes at once, the card after a moment, and it stays a moment longer than the mouse.

import { CHOSEN } from "./map_states.js";

const DWELL_MS = 125, GRACE_MS = 260;

export class Card {
  // `legend` knows the group that a point is in.
  constructor(stage, element, images, legend) {
    Object.assign(this, { stage, element, images, legend, point: -1, pinned: false, timer: 0, said: "" });
    element.addEventListener("pointerenter", () => clearTimeout(this.timer));
    element.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && !this.pinned) this.later(() => this.hide(), GRACE_MS); });
    element.querySelector("[data-close]").addEventListener("click", () => this.hide());
    stage.followers.push(() => { if (this.point >= 0 && !element.hidden) this.put(); });
  }

  later(act, after) { clearTimeout(this.timer); this.timer = setTimeout(act, after); }

  ring(i) { this.stage.hover = i; this.stage.drawOver(); }

  hover(i) {
    if (this.pinned) { this.ring(i < 0 ? this.point : i); return; }
    if (i === this.stage.hover) return;
    this.ring(i);
    if (i >= 0) this.later(() => this.show(i), DWELL_MS); else this.later(() => this.hide(), GRACE_MS);
  }

  pin(i) { this.show(i); this.pinned = i >= 0; this.element.toggleAttribute("data-pinned", this.pinned); }

  async show(i) {
    clearTimeout(this.timer);
    if (i < 0) { this.hide(); return; }
    this.point = i; this.ring(i);
    const image = await this.images.of(i);
    if (this.point !== i || !image) return;
    const part = (name) => this.element.querySelector(`[data-${name}]`);
    const picture = new Image(image.width, image.height);
    picture.alt = ""; picture.src = image.thumbnail;
    part("picture").replaceChildren(picture);
    part("id").textContent = image.id;
    part("title").textContent = image.title === image.id ? "" : image.title;
    part("group").textContent = this.legend.named(i);
    const page = this.legend.pageOf(i);
    part("cluster").hidden = !page; part("cluster").firstChild.href = page;
    part("similar").href = image.similar; part("open").href = image.image;
    part("toggle").textContent = this.stage.states[i] & CHOSEN ? "Remove from choice" : "Choose";
    this.element.hidden = false; this.element.dataset.of = i;
    this.put();
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true; this.pinned = false; this.point = -1;
    this.ring(-1);
  }

  // Beside its point, and inside the window.
  put() {
    const { element, stage } = this, [x, y] = stage.toScreen(this.point), { offsetWidth: wide, offsetHeight: high } = element;
    const left = x + 16 + wide <= stage.width ? x + 16 : x - 16 - wide;
    element.style.left = `${Math.max(8, Math.min(stage.width - wide - 8, left))}px`;
    element.style.top = `${Math.max(8, Math.min(stage.height - high - 8, y - high / 2))}px`;
  }
}
