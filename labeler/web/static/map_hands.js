// The map by mouse, by finger and by key.

const STEP = 70, ZOOM = 1.5, WHEEL = 0.0016;  // pixels; factor of a key; factor of a wheel's unit, as a power of e
const TAP = 6;  // pixels that a press may move and still mean a point
const GROW = 1.35, SMALLEST = 14;
const LOOK_MS = 50;  // between two looks at what lies under the mouse

// `drawn(points, add, outline)`: a line was closed around them; `pressed(point)`, -1 beside all; `pointed(point)`: under the mouse.
export class Hands {
  constructor(stage, acts) {
    Object.assign(this, { stage, acts, mode: "move", down: new Map(), path: null, looked: 0, spread: 0 });
    const { root } = stage;
    root.addEventListener("pointerdown", (event) => this.press(event));
    root.addEventListener("pointermove", (event) => this.go(event));
    for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, (event) => this.lift(event));
    root.addEventListener("pointerleave", () => { if (!this.down.size) this.acts.pointed(-1); });
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("dblclick", (event) => { if (this.onMap(event)) this.stage.zoomAt(...this.at(event), 2); });
    const canvas = root.querySelector("[data-keys-here]");
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => { if (canvas.matches(":focus-visible")) this.aim(46); });
    canvas.addEventListener("blur", () => this.aim(0));
  }

  at(event) { const box = this.stage.root.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; }

  onMap(event) { return !event.target.closest("[data-card]"); }

  press(event) {
    if (!this.onMap(event) || (event.pointerType === "mouse" && event.button !== 0)) return;
    const at = this.at(event);
    this.down.set(event.pointerId, { at, began: at, moved: false });
    this.stage.root.setPointerCapture(event.pointerId);
    if (this.down.size === 1 && (this.mode === "draw" || event.shiftKey)) { this.path = [...at]; this.add = event.shiftKey && this.mode === "draw"; }
    if (this.down.size === 2) { this.path = null; this.show(); this.spread = this.apart(); }
    this.acts.moving();
  }

  go(event) {
    const held = this.down.get(event.pointerId), at = this.at(event);
    if (!held) { if (event.pointerType === "mouse") this.under(event, at); return; }
    const [dx, dy] = [at[0] - held.at[0], at[1] - held.at[1]];
    held.moved ||= Math.hypot(at[0] - held.began[0], at[1] - held.began[1]) > TAP;
    held.at = at;
    if (this.path) { this.path.push(...at); this.show(); return; }
    if (!held.moved) return;
    this.stage.pan(dx / this.down.size, dy / this.down.size);
    if (this.down.size === 2) {
      const spread = this.apart(), [one, other] = [...this.down.values()];
      this.stage.zoomAt((one.at[0] + other.at[0]) / 2, (one.at[1] + other.at[1]) / 2, spread / this.spread);
      this.spread = spread;
    }
  }

  lift(event) {
    const held = this.down.get(event.pointerId);
    if (!held) return;
    this.down.delete(event.pointerId);
    const { path } = this;
    this.path = null; this.show();
    if (event.type === "pointercancel") return;
    if (path && held.moved) this.drawn(this.stage.outline(path), this.add);
    else if (!held.moved && !this.down.size) this.acts.pressed(this.stage.hit(...held.at), event.pointerType);
  }

  drawn(outline, add) { this.acts.drawn(this.stage.inside(outline), add, outline); }

  apart() { const [one, other] = [...this.down.values()]; return Math.max(10, Math.hypot(one.at[0] - other.at[0], one.at[1] - other.at[1])); }

  show() { this.stage.path = this.path; this.stage.drawOver(); }

  under(event, at) {
    if (!this.onMap(event) || event.timeStamp - this.looked < LOOK_MS) return;
    this.looked = event.timeStamp;
    this.acts.pointed(this.stage.hit(...at));
  }

  wheel(event) {
    if (!this.onMap(event)) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    this.acts.moving();
    this.stage.zoomAt(...this.at(event), Math.exp(-event.deltaY * unit * WHEEL));
  }

  // -- keys: a cross in the middle, with a circle around it ---------------------------------------------------------------
  aim(radius) { this.stage.reticle = radius; this.stage.drawOver(); if (radius) this.acts.aimed(this.stage.middle()); else this.acts.pointed(-1); }

  // Nearer to the point that is nearest to the middle, so that nobody ends in an empty place.
  zoom(factor) {
    const { stage } = this, middle = [stage.width / 2, stage.height / 2], i = factor > 1 ? stage.middle() : -1;
    const [x, y] = i < 0 ? middle : stage.toScreen(i);
    stage.zoomAt(...(x > 0 && y > 0 && x < stage.width && y < stage.height ? [x, y] : middle), factor);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { stage } = this, far = event.shiftKey ? 4 * STEP : STEP, radius = stage.reticle || 46;
    const most = Math.min(stage.width, stage.height) / 2;
    const act = {
      ArrowLeft: () => stage.pan(far, 0), ArrowRight: () => stage.pan(-far, 0), ArrowUp: () => stage.pan(0, far), ArrowDown: () => stage.pan(0, -far),
      "+": () => this.zoom(ZOOM), "=": () => this.zoom(ZOOM), "-": () => this.zoom(1 / ZOOM), 0: () => stage.fit(true),
      "]": () => { stage.reticle = Math.min(most, radius * GROW); }, "[": () => { stage.reticle = Math.max(SMALLEST, radius / GROW); },
      Enter: () => this.drawn(stage.ring(), true), " ": () => this.acts.toggled(stage.middle()),
    }[event.key];
    if (!act) return;
    event.preventDefault(); event.stopPropagation();
    act();
    this.aim(stage.reticle || 46);
  }
}
