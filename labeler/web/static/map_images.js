// What the server knows of points: asked for in batches, and kept.

const AT_ONCE = 100, KEPT = 3000, WAIT_MS = 60;

export class Images {
  constructor(address, failed) { Object.assign(this, { address, failed, known: new Map(), asked: new Map(), timer: 0 }); }

  get(i) { return this.known.get(i); }

  // The image of a point, once it is here; null where it was removed.
  of(i) {
    if (this.known.has(i)) return Promise.resolve(this.known.get(i));
    if (!this.asked.has(i)) {
      let settle;
      const promise = new Promise((done) => { settle = done; });
      this.asked.set(i, { promise, settle, sent: false });
      this.timer ||= setTimeout(() => this.send(), WAIT_MS);
    }
    return this.asked.get(i).promise;
  }

  async send() {
    this.timer = 0;
    const waiting = [...this.asked].filter(([, one]) => !one.sent);
    for (let start = 0; start < waiting.length; start += AT_ONCE) this.fetch(waiting.slice(start, start + AT_ONCE));
  }

  async fetch(part) {
    part.forEach(([, one]) => { one.sent = true; });
    let found = null;
    try { found = new Map((await json(`${this.address}?at=${part.map(([i]) => i).join(".")}`)).images.map((one) => [one.at, one])); }
    catch (error) { this.failed(error.message); }
    for (const [i, one] of part) {
      this.asked.delete(i);
      const image = found?.get(i) ?? null;
      if (found) this.known.set(i, image);
      one.settle(image);
    }
    for (const i of [...this.known.keys()].slice(0, -KEPT)) this.known.delete(i);
  }
}

// The JSON at an address. An error carries the server's own sentence.
export async function json(address) {
  return (await reached(address)).json();
}

export async function bytes(address) { return (await reached(address)).arrayBuffer(); }

async function reached(address) {
  let reply;
  try { reply = await fetch(address, { headers: { Accept: "application/json" } }); }
  catch { throw new Error("The console does not answer. Is it running? Try again."); }
  if (reply.redirected) { location.reload(); throw new Error("You are logged out. Log in again."); }
  if (!reply.ok) throw new Error((await reply.json().catch(() => ({}))).message || "The console could not answer. Load the page again.");
  return reply;
}
