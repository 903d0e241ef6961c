// Pictures on the map: a few while one is far, every one that has room when one is near, never more than MOST.

import { GONE } from "./map_geometry.js";
import { HIDDEN } from "./map_states.js";

const MOST = 90, NEAR = 160;  // pictures at once; points in the window that count as near
const FAR_SIZE = 46, NEAR_SIZE = 78, REST_MS = 90;

export class Pictures {
  constructor(stage, layer, images) {
    Object.assign(this, { stage, layer, images, shown: new Map(), timer: 0, on: true });
    stage.followers.push(() => this.follow());
  }

  toggle(on) { this.on = on; this.choose(); }

  // Those that are there move with the map at once; which ones are there is thought over when it rests.
  follow() {
    this.shown.forEach((element, i) => this.put(element, i));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.choose(), REST_MS);
  }

  put(element, i) {
    const [x, y] = this.stage.toScreen(i);
    element.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px) translate(-50%, -50%)`;
  }

  choose() {
    const wanted = this.on ? this.wanted() : new Map();
    for (const [i, element] of this.shown) if (!wanted.has(i)) { element.remove(); this.shown.delete(i); }
    for (const [i, size] of wanted) {
      const there = this.shown.get(i);
      if (there) { there.style.maxHeight = there.style.maxWidth = `${size}px`; continue; }
      this.images.of(i).then((image) => { if (image && wanted === this.last && !this.shown.has(i)) this.add(i, image, size); });
    }
    this.last = wanted;
  }

  add(i, image, size) {
    const element = new Image(image.width, image.height);
    element.alt = ""; element.src = image.thumbnail; element.decoding = "async";
    element.style.maxHeight = element.style.maxWidth = `${size}px`;
    this.put(element, i);
    this.shown.set(i, element); this.layer.append(element);
  }

  // Which points get a picture, with room around each: first those that have one, so that moving on changes few of them,
  // then the others in their order, which is a shuffled one.
  wanted() {
    const { stage } = this, { x, y, scale, left, top, width, height, states } = stage, seen = [];
    for (let i = 0; i < x.length; i += 1) {
      const px = x[i] * scale + left, py = y[i] * scale + top;
      if (px > 0 && py > 0 && px < width && py < height && !(x[i] === GONE && y[i] === GONE) && !(states[i] & HIDDEN)) seen.push(i);
    }
    const near = seen.length <= NEAR, size = near ? NEAR_SIZE : FAR_SIZE, out = new Map();
    const room = Math.max(size * (near ? 1 : 1.6), Math.sqrt((width * height) / MOST) * 0.9);
    const columns = Math.ceil(width / room) + 2, taken = new Map();  // by squares that are as wide as the room
    const there = new Set(seen);
    for (const i of [...[...this.shown.keys()].filter((one) => there.has(one)), ...seen]) {
      if (out.size === MOST) break;
      const px = x[i] * scale + left, py = y[i] * scale + top, square = Math.floor(py / room) * columns + Math.floor(px / room);
      if (taken.has(square)) continue;
      let free = true;
      for (const beside of [-columns - 1, -columns, -columns + 1, -1, 1, columns - 1, columns, columns + 1]) {
        const other = taken.get(square + beside);
        if (other && Math.abs(other[0] - px) < room && Math.abs(other[1] - py) < room) { free = false; break; }
      }
      if (free) { taken.set(square, [px, py]); out.set(i, size); }
    }
    return out;
  }
}
