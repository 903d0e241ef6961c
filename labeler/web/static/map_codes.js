// What the points are coloured by, as the server sends it: the length of the legend, the legend as JSON, a byte a point.

// Without `content` no point has a group.
export function unpacked(content, count) {
  if (!content) return { groups: [], shades: false, none: 0, codes: new Uint8Array(count) };
  const length = new DataView(content).getUint32(0, true);
  return { ...JSON.parse(new TextDecoder().decode(new Uint8Array(content, 4, length))), codes: new Uint8Array(content, 4 + length) };
}
