// Pictures on the map: a few while one is far, every one that has room when one is near, never more than MOST.

import { GONE } from "./map_geometry.js";

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

  // Which points get a picture, by squares of the map: of each the first point, so that moving on changes none of them.
  wanted() {
    const { stage } = this, { x, y, scale, left, top, width, height, states } = stage;
    const seen = [];
    for (let i = 0; i < x.length; i += 1) {
      const px = x[i] * scale + left, py = y[i] * scale + top;
      if (px > 0 && py > 0 && px < width && py < height && !(x[i] === GONE && y[i] === GONE) && !(states[i] & 4)) seen.push(i);
    }
    const near = seen.length <= NEAR, size = near ? NEAR_SIZE : FAR_SIZE;
    // Squares widen by steps, so that they stay the same while one comes a little nearer.
    const least = Math.max(size * (near ? 1.05 : 1.5), Math.sqrt((width * height) / MOST)), square = Math.SQRT2 ** Math.ceil(2 * Math.log2(least / scale));
    const edge = Math.min(0.4, (size / 2 + 2) / (square * scale)), taken = new Map();
    for (const i of seen) {
      const [u, v] = [x[i] / square, y[i] / square], key = Math.floor(u) * 65536 + Math.floor(v);
      const [fu, fv] = [u - Math.floor(u), v - Math.floor(v)];
      if (!taken.has(key) && Math.min(fu, fv, 1 - fu, 1 - fv) >= edge) taken.set(key, i);
    }
    return new Map([...taken.values()].slice(0, MOST).map((i) => [i, size]));
  }
}
