// What the browser remembers of pages of images: ticks that are not submitted yet, which outlive a reload, and their size.

import { root } from "./labelling.js";

const MOST = 16;  // pages whose ticks are kept

export const stored = (name) => { try { return localStorage.getItem(`${root.dataset.outbox}:${name}`); } catch { return null; } };
export const store = (name, text) => { try { localStorage.setItem(`${root.dataset.outbox}:${name}`, text); } catch { /* not remembered, then */ } };

// Page's key -> its marks by place.
export function drafts() { try { return JSON.parse(stored("draft") || "{}"); } catch { return {}; } }

export function keepDraft(marks) { store("draft", JSON.stringify(Object.fromEntries(Object.entries({ ...drafts(), ...marks }).slice(-MOST)))); }

export function dropDraft(keys) {
  store("draft", JSON.stringify(Object.fromEntries(Object.entries(drafts()).filter(([key]) => !keys.includes(key)))));
}
