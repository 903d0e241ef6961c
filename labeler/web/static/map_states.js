// What a point may be besides its colour, as bits.

export const CHOSEN = 1, LIT = 2, HIDDEN = 4;

// The points that stand out, in their order, and whether any is lit.
export function standing(states) {
  const which = [];
  let lit = 0;
  for (let i = 0; i < states.length; i += 1) if (states[i] & (CHOSEN | LIT)) { which.push(i); lit |= states[i] & LIT; }
  return { which, lit: lit > 0 };
}
