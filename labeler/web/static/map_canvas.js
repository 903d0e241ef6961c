// Points where there is no WebGL: pixels written into an image, which takes some milliseconds for 200,000.

import { GONE } from "./map_geometry.js";
import { CHOSEN, HIDDEN, LIT, standing } from "./map_states.js";

const STANDS = CHOSEN | LIT;

export class CanvasPoints {
  constructor(canvas) { Object.assign(this, { canvas, context: canvas.getContext("2d") }); }

  load(x, y) { Object.assign(this, { x, y, code: new Uint8Array(x.length), state: new Uint8Array(x.length), which: [] }); }

  codes(values) { this.code.set(values); }

  states(values) { this.state.set(values); Object.assign(this, standing(values)); }

  palette(values, ink) { this.colours = values; this.ink = ink; }

  draw({ scale, left, top, wide, ratio }) {
    const { width, height } = this.canvas;
    if (!width || !height) return;
    if (this.image?.width !== width || this.image?.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(0);
    const view = { scale: scale * ratio, left: left * ratio, top: top * ratio };
    const strengths = [HIDDEN, 0].map((hidden) => this.row(hidden ? 16 : this.lit ? 46 : 255));
    this.pass(view, wide * ratio, strengths, null);
    if (this.which.length) {
      this.pass(view, wide * ratio * 1.7, null, this.which);
      this.pass(view, wide * ratio * 1.15, [this.row(255), this.row(255)], this.which);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  // The palette as whole pixels of one strength.
  row(alpha) {
    const out = new Uint32Array(256), { colours } = this;
    for (let i = 0; i < 256; i += 1) out[i] = (alpha << 24) | (colours[4 * i + 2] << 16) | (colours[4 * i + 1] << 8) | colours[4 * i];
    return out;
  }

  // Draws the points of `which`, or without it those that do not stand out; without `rows` in ink. A point at the very
  // edge is left out.
  pass({ scale, left, top }, wide, rows, which) {
    const { x, y, code, state, pixels } = this, { width, height } = this.canvas, { reach, steps } = disc(wide, width), many = steps.length;
    const ink = ((255 << 24) | (this.ink[2] << 16) | (this.ink[1] << 8) | this.ink[0]) >>> 0, [l, t] = [left + 0.5, top + 0.5];
    for (let at = 0, end = (which ?? x).length; at < end; at += 1) {
      const i = which ? which[at] : at;
      if (!which && state[i] & STANDS) continue;
      const px = Math.floor(x[i] * scale + l), py = Math.floor(y[i] * scale + t);
      if (px < reach || py < reach || px >= width - reach || py >= height - reach || (x[i] === GONE && y[i] === GONE)) continue;
      const colour = rows ? rows[state[i] & HIDDEN ? 0 : 1][code[i]] : ink, middle = py * width + px;
      for (let k = 0; k < many; k += 1) pixels[middle + steps[k]] = colour;
    }
  }
}

// How far a disc reaches, and its pixels as steps in an image of that width.
function disc(wide, width) {
  const reach = Math.max(0, Math.ceil(wide / 2 - 0.5)), steps = [];
  for (let dy = -reach; dy <= reach; dy += 1) for (let dx = -reach; dx <= reach; dx += 1) if (Math.hypot(dx, dy) <= wide / 2 || !reach) steps.push(dy * width + dx);
  return { reach, steps: Int32Array.from(steps) };
}
