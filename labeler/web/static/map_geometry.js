// Which points are where: plain arithmetic on the map's units (0 to 65535), without a page.

export const SPAN = 65535, GONE = 65535;
const BIN = 8, SIDE = 256;  // a bin is 2^8 units wide, so there are 256 in a row

// Whether a point is inside a polygon, a flat array [x, y, x, y, …], by the even-odd rule.
export function inside(x, y, polygon) {
  let odd = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) if (crosses(x, y, polygon[j], polygon[j + 1], polygon[i], polygon[i + 1])) odd = !odd;
  return odd;
}

const crosses = (x, y, ax, ay, bx, by) => (by > y) !== (ay > y) && x < ((ax - bx) * (y - by)) / (ay - by) + bx;

// A polygon around a point.
export function circle(x, y, radius, corners = 64) {
  return Array.from({ length: 2 * corners }, (_, i) => {
    const angle = (2 * Math.PI * (i >> 1)) / corners;
    return i % 2 ? y + radius * Math.sin(angle) : x + radius * Math.cos(angle);
  });
}

// The corners of a drawn line that are at least `least` apart from the one before.
export function simplified(polygon, least) {
  const out = polygon.slice(0, 2);
  for (let i = 2; i < polygon.length; i += 2) {
    if (Math.hypot(polygon[i] - out.at(-2), polygon[i + 1] - out.at(-1)) >= least) out.push(polygon[i], polygon[i + 1]);
  }
  return out;
}

// The points of a map, by the square of the plane that they are in.
export class Bins {
  constructor(x, y) {
    Object.assign(this, { x, y, starts: new Uint32Array(SIDE * SIDE + 1), items: new Uint32Array(x.length) });
    const of = (i) => (y[i] >> BIN) * SIDE + (x[i] >> BIN);
    const there = (i) => x[i] !== GONE || y[i] !== GONE;
    for (let i = 0; i < x.length; i += 1) if (there(i)) this.starts[of(i) + 1] += 1;
    for (let bin = 0; bin < SIDE * SIDE; bin += 1) this.starts[bin + 1] += this.starts[bin];
    const next = this.starts.slice();
    for (let i = 0; i < x.length; i += 1) if (there(i)) { this.items[next[of(i)]] = i; next[of(i)] += 1; }
  }

  get count() { return this.starts[SIDE * SIDE]; }

  // Calls `visit` with each bin that a box touches: its row, its number and the slice of `items` that it holds.
  eachBin(left, top, right, bottom, visit) {
    const from = (value) => Math.max(0, Math.floor(value) >> BIN), to = (value) => Math.min(SIDE - 1, Math.floor(value) >> BIN);
    for (let row = from(top); row <= to(bottom); row += 1) {
      for (let bin = row * SIDE + from(left); bin <= row * SIDE + to(right); bin += 1) {
        if (this.starts[bin] < this.starts[bin + 1]) visit(row, bin, this.starts[bin], this.starts[bin + 1]);
      }
    }
  }

  // The point nearest to a place and at most `radius` from it; -1 where there is none.
  nearest(x, y, radius) {
    let best = -1, least = radius * radius;
    this.eachBin(x - radius, y - radius, x + radius, y + radius, (_, __, start, end) => {
      for (let at = start; at < end; at += 1) {
        const i = this.items[at], far = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (far < least || (far === least && (best < 0 || i < best))) { best = i; least = far; }
      }
    });
    return best;
  }

  // The nearest point wherever it is.
  nearestOfAll(x, y) {
    for (let radius = 512; radius < 4 * SPAN; radius *= 2) {
      const found = this.nearest(x, y, radius);
      if (found >= 0) return found;
    }
    return -1;
  }

  // The points inside a polygon, in their order, as a Uint32Array. A bin that no edge touches is inside as a whole or not
  // at all; in the others only the edges at the bin's height are looked at. What is inside is first a bit of each point,
  // so that nothing is to be sorted.
  lasso(polygon) {
    if (polygon.length < 6) return new Uint32Array(0);
    const { x, y, items } = this, bits = new Uint8Array(x.length);
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity], count = 0;
    for (let i = 0; i < polygon.length; i += 2) {
      left = Math.min(left, polygon[i]); right = Math.max(right, polygon[i]);
      top = Math.min(top, polygon[i + 1]); bottom = Math.max(bottom, polygon[i + 1]);
    }
    const edges = edgesByRow(polygon);
    this.eachBin(left, top, right, bottom, (row, bin, start, end) => {
      const here = edges(row), low = (bin % SIDE) << BIN, high = low + (1 << BIN);
      let touched = false;
      for (let k = 0; k < here.length && !touched; k += 4) touched = Math.min(here[k], here[k + 2]) <= high && Math.max(here[k], here[k + 2]) >= low;
      if (!touched && !isIn(x[items[start]], y[items[start]], here)) return;
      for (let at = start; at < end; at += 1) {
        const i = items[at];
        if (!touched || isIn(x[i], y[i], here)) { bits[i] = 1; count += 1; }
      }
    });
    const found = new Uint32Array(count);
    for (let i = 0, at = 0; at < count; i += 1) if (bits[i]) { found[at] = i; at += 1; }
    return found;
  }
}

// Gives the edges of a polygon that reach a row of bins: a flat array [ax, ay, bx, by, …].
function edgesByRow(polygon) {
  const rows = new Map(), last = polygon.length - 2;
  return (row) => {
    if (!rows.has(row)) {
      const low = row << BIN, high = (row + 1) << BIN, here = [];
      for (let i = 0, j = last; i <= last; j = i, i += 2) {
        if (Math.min(polygon[i + 1], polygon[j + 1]) <= high && Math.max(polygon[i + 1], polygon[j + 1]) >= low) here.push(polygon[j], polygon[j + 1], polygon[i], polygon[i + 1]);
      }
      rows.set(row, Float64Array.from(here));
    }
    return rows.get(row);
  };
}

function isIn(x, y, edges) {
  let odd = false;
  for (let k = 0; k < edges.length; k += 4) if (crosses(x, y, edges[k], edges[k + 1], edges[k + 2], edges[k + 3])) odd = !odd;
  return odd;
}
