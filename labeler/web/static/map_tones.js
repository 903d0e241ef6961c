// The colours of a map's points: the console's own first, then more of them, for light and for dark.

const OWN = 9, NONE = 0;

export class Tones {
  constructor(root) { this.root = root; }

  get dark() { return matchMedia("(prefers-color-scheme: dark)").matches; }

  of(name) { return rgb(getComputedStyle(this.root).getPropertyValue(name).trim()); }

  // The colour of number `index`; a negative one has none of its own.
  tone(index) {
    if (index < 0) return this.of("--c-none");
    if (index < OWN) return this.of(`--c${index}`);
    const light = this.dark ? [68, 80, 58] : [40, 54, 30];
    return hsl((index * 137.508 + 15) % 360, 52, light[index % 3]);
  }

  // A step of a scale from low to high, of `steps`.
  shade(step, steps) {
    const [low, high] = [this.of("--line-strong"), this.of("--accent")], part = steps > 1 ? step / (steps - 1) : 1;
    return low.map((value, i) => Math.round(value + (high[i] - value) * part));
  }

  // For each code its red, green, blue, and 255: code 0 is a point of no group.
  palette(groups, shades) {
    const out = new Uint8Array(256 * 4);
    const put = (code, colour) => out.set([...colour, 255], 4 * code);
    put(NONE, this.of(groups.length ? "--line-strong" : "--ink-soft"));
    groups.forEach((group, i) => put(i + 1, shades ? this.shade(i, groups.length) : this.tone(group.colour)));
    return out;
  }
}

export const css = (colour) => `rgb(${colour[0]} ${colour[1]} ${colour[2]})`;

function rgb(text) {
  const number = parseInt(text.slice(1), 16);
  return Number.isNaN(number) ? [128, 128, 128] : [number >> 16, (number >> 8) & 255, number & 255];
}

function hsl(hue, saturation, lightness) {
  const l = lightness / 100, a = (saturation / 100) * Math.min(l, 1 - l);
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}
