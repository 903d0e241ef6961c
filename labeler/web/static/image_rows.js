// How the images of a page stand in the window: rows of one height, in their order.

export const GAP = 8;  // pixels between images
export const LEAST = 96;  // pixels: the lowest image that can be judged
const FEWEST_ROWS = 3;  // on a telephone
const NARROW = 640;  // pixels: a telephone's window

// The width of an image over its height, as it is given room.
export const shapeOf = (one) => Math.min(Math.max(one.width / one.height || 0.67, 0.5), 2.4);
export const sum = (line, shapes) => line.reduce((total, number) => total + shapes[number], 0);

// The lines of `shapes` in a window, and how many of them it shows at once: with the number of lines that makes the images
// largest while all of them are in the window. Where they would be too small to judge, or on a telephone, whole lines fill
// the window and the others come by scrolling.
export function linesOf(shapes, width, height) {
  if (width <= NARROW) return pairs(shapes, width, height);
  let best = { high: 0 };
  for (let count = 1; count <= shapes.length; count += 1) {
    const lines = balanced(shapes, count);
    const high = lines && Math.min(height / count - GAP, ...lines.map((line) => (width - GAP * (line.length - 1)) / sum(line, shapes)));
    if (lines && high > best.high) best = { high, lines };
  }
  if (best.high < LEAST) return [packed(shapes, width, LEAST), Math.max(1, Math.floor(height / (LEAST + GAP)))];
  return [best.lines, best.lines.length];
}

// The images in their order in `count` lines of about one width; null where a line would be empty.
function balanced(shapes, count) {
  const lines = Array.from({ length: count }, () => []), whole = shapes.reduce((one, other) => one + other, 0);
  let before = 0;
  shapes.forEach((shape, number) => {
    lines[Math.min(count - 1, Math.floor(((before + shape / 2) / whole) * count))].push(number);
    before += shape;
  });
  return lines.every((line) => line.length) ? lines : null;
}

// As many in each line as fit with this height.
function packed(shapes, width, high) {
  const lines = [[]];
  let used = 0;
  shapes.forEach((shape, number) => {
    if (used + shape * high > width && lines.at(-1).length) { lines.push([]); used = 0; }
    lines.at(-1).push(number);
    used += shape * high + GAP;
  });
  return lines;
}

// Two in each line, and how many lines a window shows whole.
function pairs(shapes, width, height) {
  const lines = [];
  shapes.forEach((_, number) => { if (number % 2) lines.at(-1).push(number); else lines.push([number]); });
  const usual = lines.map((line) => (width - GAP) / sum(line, shapes) * (line.length / 2)).sort((one, other) => one - other)[Math.floor(lines.length / 2)];
  return [lines, Math.min(Math.max(FEWEST_ROWS, Math.round(height / (usual + GAP))), lines.length)];
}
