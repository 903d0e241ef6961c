// The rows of an outbox in this browser's storage, a key for each: tabs that share them do not write over one another.

export class KeptRows {
  constructor(name) { this.prefix = `${name}:row:`; }

  // Every row by what it is named with, `once`; null where the storage is shut.
  all() {
    try {
      const names = Object.keys(localStorage).filter((name) => name.startsWith(this.prefix));
      return new Map(names.map((name) => this.row(name)).filter(Boolean).map((row) => [row.once, row]));
    } catch { return null; }
  }

  row(name) { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } }

  // Whether it is kept: the storage may be full or shut.
  put(row) {
    try { localStorage.setItem(this.prefix + row.once, JSON.stringify(row)); return true; }
    catch { this.remove(row); return false; }
  }

  // Not a later state of it, which another tab has written.
  remove(row) {
    const held = this.row(this.prefix + row.once);
    try { if (held && held.at <= row.at) localStorage.removeItem(this.prefix + row.once); } catch { /* shut */ }
  }
}
