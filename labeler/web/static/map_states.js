// What a point may be besides its colour, as bits.

export const CHOSEN = 1, LIT = 2, HIDDEN = 4;
