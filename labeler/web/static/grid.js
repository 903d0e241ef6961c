// The images of a page: their places in the window, their ticks, the one that has the focus, and the look at one alone.

import { GAP, LEAST, linesOf, shapeOf, sum } from "./image_rows.js";
import { say } from "./words.js";

export const TICK = "tick", UNSURE = "unsure";
const LOAD_MS = 20000;  // an image that takes longer counts as one that does not come

export class Grid {
  constructor({ root, zoomed, changed, look }) {
    Object.assign(this, { root, zoomed, changed, look, cells: [], changes: [], at: 0, seen: 0, step: 0, lines: [], images: new Map() });
    this.end = make("span", "grid-end");
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("focusin", (event) => { const cell = event.target.closest("[data-cell]"); if (cell) this.at = Number(cell.dataset.cell); });
    root.addEventListener("scroll", () => this.saw(), { passive: true });
    root.addEventListener("contextmenu", (event) => {  // a finger that stays
      const cell = this.cells[Number(event.target.closest("[data-cell]")?.dataset.cell)];
      if (!cell || event.pointerType === "mouse") return;
      event.preventDefault();
      this.focus(cell.number); this.enlarge();
    });
    zoomed.addEventListener("click", () => this.unzoom());
    new ResizeObserver(() => this.fit()).observe(root);
  }

  // The element of an image, begun to load; kept, so that a page to come is here when it is needed.
  image(one) {
    let held = this.images.get(one.image);
    if (!held) {
      const element = new Image(one.width, one.height);
      element.alt = ""; element.draggable = false; element.src = one.image;
      const late = new Promise((_, fail) => setTimeout(fail, LOAD_MS));
      held = { element, ready: Promise.race([element.decode(), late]) };
      held.ready.catch(() => this.images.delete(one.image));
      this.images.set(one.image, held);
    }
    return held;
  }

  show(images) {
    this.unzoom();
    this.changes = []; this.at = 0; this.seen = 0;
    this.cells = images.map((one, number) => this.cell({ ...one, all: images.length }, number));  // `answered`: it has an answer already
    this.root.replaceChildren(...this.cells.map((cell) => cell.element), this.end);
    this.root.scrollTop = 0;
    this.fit();
    this.focus(0);
    const near = new Set(images.map((one) => one.image));
    for (const address of [...this.images.keys()].slice(0, -160)) if (!near.has(address)) this.images.delete(address);
  }

  clear() { this.cells = []; this.changes = []; this.root.replaceChildren(); }

  cell(one, number) {
    const element = document.createElement("div");
    element.className = "cell"; element.dataset.cell = number;
    const button = make("button", "tick-button"), doubt = make("button", "corner doubt", "?"), zoom = make("button", "corner look", "");
    doubt.tabIndex = zoom.tabIndex = -1;
    doubt.setAttribute("aria-label", say("unsure_about", { number: number + 1 })); zoom.setAttribute("aria-label", say("enlarge", { number: number + 1 }));
    button.tabIndex = number ? -1 : 0;
    element.append(button, doubt, zoom);
    const cell = { ...one, number, element, button, ready: false, broken: false, silent: false };
    const held = this.image(one);
    button.append(held.element, make("span", "sign"));
    cell.done = held.ready.then(() => { cell.ready = true; element.classList.add("ready"); }, () => this.breaks(cell));
    this.paint(cell);
    return cell;
  }

  // An answer that was given while the image was there stays: the cell keeps its mark and is sent as it was.
  breaks(cell) {
    cell.broken = true; cell.silent = !cell.answered;
    if (cell.silent) cell.mark = "";
    cell.element.classList.add("broken");
    cell.button.replaceChildren(make("span", "lost", say(cell.silent ? "lost_image" : "lost_image_answered")), make("span", "sign"));
    this.paint(cell);
  }

  ready() { return Promise.all(this.cells.map((cell) => cell.done)); }

  paint(cell) {
    cell.element.dataset.mark = cell.mark;
    cell.button.setAttribute("aria-pressed", cell.mark === TICK ? "true" : cell.mark === UNSURE ? "mixed" : "false");
    const said = cell.broken ? "cell_broken" : { [TICK]: "cell_ticked", [UNSURE]: "cell_unsure", "": "cell_none" }[cell.mark];
    cell.button.setAttribute("aria-label", say(said, { number: cell.number + 1, all: cell.all }));
  }

  // -- places ---------------------------------------------------------------------------------------------------------
  fit() {
    const width = this.root.clientWidth - 2 * GAP, height = this.root.clientHeight - GAP, shapes = this.cells.map(shapeOf);
    if (!shapes.length || width < LEAST || height < LEAST) return;
    this.deal(shapes, width, ...linesOf(shapes, width, height));
    this.seen = 0;
    this.saw();
  }

  // Puts the cells of `lines` into their places, `visible` lines to a window.
  deal(shapes, width, lines, visible) {
    this.lines = lines; this.step = (this.root.clientHeight - GAP + 2) / visible;  // the next row begins below the edge
    lines.forEach((line, row) => {
      const free = width - GAP * (line.length - 1), own = sum(line, shapes), high = Math.min(this.step - GAP, free / own);
      let left = GAP + (free - own * high) / 2;
      line.forEach((number) => {
        const style = this.cells[number].element.style;
        style.left = `${left}px`; style.top = `${GAP + row * this.step + (this.step - GAP - high) / 2}px`;
        style.width = `${shapes[number] * high}px`; style.height = `${high}px`;
        left += shapes[number] * high + GAP;
      });
    });
    this.root.classList.toggle("scrolls", lines.length > visible);
    this.end.style.top = `${GAP + lines.length * this.step}px`;
    this.root.querySelectorAll(".row-mark").forEach((mark) => mark.remove());
    lines.forEach((_, row) => {  // where scrolling comes to rest
      const mark = make("span", "row-mark");
      mark.style.top = `${GAP + row * this.step}px`;
      this.root.append(mark);
    });
  }

  saw() {
    if (!this.step) return;
    const rows = Math.floor((this.root.scrollTop + this.root.clientHeight - GAP + 3) / this.step);
    this.seen = Math.max(this.seen, this.lines.slice(0, rows).flat().length);
    this.look();
  }

  unseen() { return this.cells.length - this.seen; }

  scrollOn() {
    const first = this.seen;
    this.root.scrollTop = this.line(first) * this.step;
    this.focus(Math.min(first, this.cells.length - 1));
  }

  line(number) { return this.lines.findIndex((line) => line.includes(number)); }

  // -- marks ----------------------------------------------------------------------------------------------------------
  clicked(event) {
    const cell = this.cells[Number(event.target.closest("[data-cell]")?.dataset.cell)];
    if (!cell) return;
    this.focus(cell.number);
    if (event.target.closest(".look")) this.zoom();
    else this.mark(event.target.closest(".doubt") ? UNSURE : TICK);
  }

  mark(what) {
    const cell = this.cells[this.at];
    if (!cell || !cell.ready) return;
    this.changes.push({ cell, before: cell.mark });
    cell.mark = cell.mark === what ? "" : what;
    this.paint(cell);
    if (!this.zoomed.hidden) this.enlarge();
    this.changed();
  }

  undo() {
    const last = this.changes.pop();
    if (!last) return false;
    last.cell.mark = last.before;
    this.paint(last.cell);
    this.focus(last.cell.number);
    this.changed();
    return true;
  }

  places(key, mark) { return this.cells.filter((cell) => cell.key === key && cell.mark === mark && !cell.silent).map((cell) => cell.place); }

  silent(key) { return this.cells.filter((cell) => cell.key === key && cell.silent).map((cell) => cell.place); }

  marksOf(key) { return Object.fromEntries(this.cells.filter((cell) => cell.key === key && cell.mark).map((cell) => [cell.place, cell.mark])); }

  counts() {
    const counted = this.cells.filter((cell) => !cell.silent);
    const many = (mark) => counted.filter((cell) => cell.mark === mark).length;
    return { tick: many(TICK), unsure: many(UNSURE), none: many("") };
  }

  // -- the focus ------------------------------------------------------------------------------------------------------
  holds(button) { return this.root.contains(button); }

  focus(number = this.at) {
    if (!this.cells.length) return;
    this.at = number < 0 ? this.cells.length - 1 : Math.min(number, this.cells.length - 1);
    this.cells.forEach((cell) => { cell.button.tabIndex = cell.number === this.at ? 0 : -1; });
    this.cells[this.at].button.focus({ preventScroll: true });
    this.reveal();
    if (!this.zoomed.hidden) this.enlarge();
  }

  reveal() {
    if (!this.step) return;
    const row = this.line(this.at), visible = Math.max(1, Math.round((this.root.clientHeight - GAP) / this.step));
    const first = Math.round(this.root.scrollTop / this.step);
    if (row < first) this.root.scrollTop = row * this.step;
    if (row >= first + visible) this.root.scrollTop = (row - visible + 1) * this.step;
  }

  // Left and right go on in the next row, up and down to the image that stands nearest.
  move(right, down) {
    if (!this.cells.length) return;
    if (right) { const to = this.at + right; if (to >= 0 && to < this.cells.length) this.focus(to); return; }
    const line = this.lines[this.line(this.at) + down];
    if (!line) return;
    const middle = (number) => { const { offsetLeft, offsetWidth } = this.cells[number].element; return offsetLeft + offsetWidth / 2; };
    const here = middle(this.at);
    this.focus(line.reduce((best, number) => (Math.abs(middle(number) - here) < Math.abs(middle(best) - here) ? number : best)));
  }

  // -- one image alone ------------------------------------------------------------------------------------------------
  zoom() { if (this.zoomed.hidden) this.enlarge(); else this.unzoom(); }

  enlarge() {
    const cell = this.cells[this.at];
    if (!cell || cell.broken) return;
    const whole = new Image();
    whole.alt = say("enlarged", { number: cell.number + 1 }); whole.src = cell.whole;
    this.zoomed.replaceChildren(whole, make("span", "sign"));
    this.zoomed.dataset.mark = cell.mark;
    this.zoomed.hidden = false;
  }

  unzoom() { this.zoomed.hidden = true; this.zoomed.replaceChildren(); }
}

function make(tag, name, text) {
  const element = document.createElement(tag);
  element.className = name;
  if (tag === "button") element.type = "button";
  if (text) element.textContent = text;
  return element;
}
