// The stage: where the map stands in its window, what is drawn of it, and what lies under a place of the window.

import { CanvasPoints } from "./map_canvas.js";
import { Bins, GONE, SPAN, circle, simplified } from "./map_geometry.js";
import { HIDDEN } from "./map_states.js";
import { WebGlPoints } from "./map_webgl.js";

const NEAR = 14;  // pixels from a point that still mean it
const FARTHEST = 0.6, NEAREST = 400;  // of the scale at which the whole map fits
const MOVE_MS = 280;
const CORNER = 3;  // pixels between two corners of a drawn line

export class Stage {
  // `drawn`: "canvas" or "webgl", where the best of the two is not wanted.
  // The painter prepares itself while the points are on their way; `load` brings them.
  constructor(root, drawn = "") {
    Object.assign(this, { root, x: null, y: null, count: 0, hover: -1, path: null, outlines: [], reticle: 0, followers: [], asked: 0, moving: 0, scale: 0, left: 0, top: 0 });
    this.canvas = root.querySelector("[data-points]"); this.over = root.querySelector("[data-over]");
    this.points = this.painter(drawn);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.resize()).observe(root);
    this.resize();
  }

  // `columns`: the x of every point, then the y of every point.
  load(columns) {
    const count = columns.length / 2, x = columns.subarray(0, count), y = columns.subarray(count);
    Object.assign(this, { x, y, codes: new Uint8Array(count), states: new Uint8Array(count) });
    for (let i = 0; i < count; i += 1) this.count += x[i] !== GONE || y[i] !== GONE;
    try { this.points.load(x, y); } catch { this.instead(); }
  }

  get bins() { return this.sorted ||= new Bins(this.x, this.y); }  // when somebody points at something

  painter(drawn) {
    try {
      if (drawn === "canvas") throw new Error("asked for");
      const made = new WebGlPoints(this.canvas, drawn === "webgl");
      this.canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.instead(); });
      this.root.dataset.drawn = "webgl";
      return made;
    } catch {
      return this.instead();
    }
  }

  // A canvas that WebGL has had gives no other context: a new one takes its place.
  instead() {
    const fresh = this.canvas.cloneNode();
    this.canvas.replaceWith(fresh); this.canvas = fresh;
    this.root.dataset.drawn = "canvas";
    const points = new CanvasPoints(fresh);
    this.points = points;
    if (this.x) points.load(this.x, this.y);
    if (this.colours) { points.palette(...this.colours); points.codes(this.codes); points.states(this.states); this.draw(); }
    return points;
  }

  colour(codes, palette, ink) { this.codes = codes; this.colours = [palette, ink]; this.points.codes(codes); this.points.palette(palette, ink); this.draw(); }

  // Sets or clears one bit of state: of the points that `which` lists, and of no other.
  mark(bit, which) {
    for (let i = 0; i < this.states.length; i += 1) this.states[i] &= ~bit;
    for (const i of which) this.states[i] |= bit;
    this.points.states(this.states); this.draw();
  }

  hide(shown) {  // of points by their code; null shows all
    if (!shown && !this.hides) return;
    this.hides = Boolean(shown);
    for (let i = 0; i < this.states.length; i += 1) this.states[i] = !shown || shown.has(this.codes[i]) ? this.states[i] & ~HIDDEN : this.states[i] | HIDDEN;
    this.points.states(this.states); this.draw();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.root, ratio = window.devicePixelRatio || 1;
    if (!width || !height) return;
    const before = this.scale && this.toMap(this.width / 2, this.height / 2);
    Object.assign(this, { width, height, ratio });
    for (const canvas of [this.canvas, this.over]) { canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); }
    if (!before) this.fit(); else { this.left = width / 2 - before[0] * this.scale; this.top = height / 2 - before[1] * this.scale; this.draw(); }
  }

  // -- the view ---------------------------------------------------------------------------------------------------------
  get whole() { return Math.min(this.width, this.height) / SPAN; }

  get zoom() { return this.scale / this.whole; }

  // Points grow as one comes nearer, and are smaller where there are many.
  get wide() { return Math.max(1.6, Math.min(9, (5.2 - 0.8 * Math.log10(1 + this.count / 250)) * this.zoom ** 0.3)); }

  toMap(px, py) { return [(px - this.left) / this.scale, (py - this.top) / this.scale]; }

  toScreen(i) { return [this.x[i] * this.scale + this.left, this.y[i] * this.scale + this.top]; }

  fit(smooth = false) { this.look(SPAN / 2, SPAN / 2, this.whole, smooth); }

  goTo(i, zoom = 12) { this.look(this.x[i], this.y[i], Math.max(this.scale, this.whole * zoom), true); }

  // Puts a place of the map in the middle of the window.
  look(u, v, scale, smooth) {
    cancelAnimationFrame(this.moving);
    const from = { scale: this.scale, left: this.left, top: this.top };
    const to = { scale, left: this.width / 2 - u * scale, top: this.height / 2 - v * scale };
    if (!smooth || this.still.matches || !from.scale) { Object.assign(this, to); this.draw(); return; }
    const began = performance.now();
    const step = (time) => {
      const part = Math.min(1, Math.max(0, time - began) / MOVE_MS), eased = 1 - (1 - part) ** 3;
      for (const name of Object.keys(to)) this[name] = from[name] + (to[name] - from[name]) * eased;
      this.draw();
      if (part < 1) this.moving = requestAnimationFrame(step);
    };
    this.moving = requestAnimationFrame(step);
  }

  pan(dx, dy) { cancelAnimationFrame(this.moving); this.left += dx; this.top += dy; this.keep(); this.draw(); }

  zoomAt(px, py, factor) {
    cancelAnimationFrame(this.moving);
    const [u, v] = this.toMap(px, py);
    this.scale = Math.max(this.whole * FARTHEST, Math.min(this.whole * NEAREST, this.scale * factor));
    this.left = px - u * this.scale; this.top = py - v * this.scale;
    this.keep(); this.draw();
  }

  // Some of the map always stays in the window.
  keep() {
    const span = SPAN * this.scale, [w, h] = [this.width / 2, this.height / 2];
    this.left = Math.min(w, Math.max(w - span, this.left)); this.top = Math.min(h, Math.max(h - span, this.top));
  }

  // -- what is where ----------------------------------------------------------------------------------------------------
  hit(px, py) { return this.bins.nearest(...this.toMap(px, py), NEAR / this.scale); }

  middle() { return this.bins.nearestOfAll(...this.toMap(this.width / 2, this.height / 2)); }

  inside(outline) { return this.bins.lasso(outline); }

  // A line drawn in the window, and the circle around the middle, as flat arrays of places on the map.
  outline(path) { return simplified(path, CORNER).map((value, i) => (value - (i % 2 ? this.top : this.left)) / this.scale); }

  ring() { return circle(...this.toMap(this.width / 2, this.height / 2), this.reticle / this.scale); }

  // The lines around what is chosen: they stay on the map until the choice changes.
  keepOutlines(outlines) { this.outlines = outlines; this.drawOver(); }

  // -- drawing ----------------------------------------------------------------------------------------------------------
  draw() {
    if (this.asked || !this.colours) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.paint(); });
  }

  // The ring, the cross and the line alone: the points below stay as they are.
  drawOver() { if (!this.asked && this.colours) this.askedOver ||= requestAnimationFrame(() => { this.askedOver = 0; this.paintOver(); }); }

  paint() {
    cancelAnimationFrame(this.asked); this.asked = 0;
    this.points.draw({ scale: this.scale, left: this.left, top: this.top, wide: this.wide, ratio: this.ratio });
    this.paintOver();
    this.followers.forEach((follower) => follower());
  }

  paintOver() {
    const pen = this.over.getContext("2d"), [ink, paper] = [this.colours[1], getComputedStyle(this.root).backgroundColor];
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    const stroke = () => { for (const [colour, wide] of [[paper, 5], [`rgb(${ink.join(" ")})`, 2]]) { pen.strokeStyle = colour; pen.lineWidth = wide; pen.stroke(); } };
    if (this.hover >= 0) { pen.beginPath(); pen.arc(...this.toScreen(this.hover), this.wide / 2 + 4, 0, 7); stroke(); }
    if (this.reticle) {
      const [x, y] = [this.width / 2, this.height / 2];
      pen.beginPath(); pen.arc(x, y, this.reticle, 0, 7); pen.moveTo(x - 6, y); pen.lineTo(x + 6, y); pen.moveTo(x, y - 6); pen.lineTo(x, y + 6); stroke();
    }
    const onScreen = (outline) => Array.from(outline, (value, i) => value * this.scale + (i % 2 ? this.top : this.left));
    for (const line of [...this.outlines.map(onScreen), this.path ?? []]) {
      if (line.length <= 2) continue;
      pen.beginPath(); pen.moveTo(line[0], line[1]);
      for (let i = 2; i < line.length; i += 2) pen.lineTo(line[i], line[i + 1]);
      pen.closePath(); pen.fillStyle = `rgb(${ink.join(" ")} / 8%)`; pen.fill(); stroke();
    }
  }
}
