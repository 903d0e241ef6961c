// Points by WebGL 1: two columns of coordinates, a byte of colour and a byte of state for each, sent once.

import { HIDDEN, LIT, standing } from "./map_states.js";

const COLUMNS = ["x", "y", "code", "state"];

const VERTEX = `
attribute float x, y, code, state;
uniform vec2 move, size;
uniform float scale, wide, lights;
uniform mediump float above;  // of one precision in both shaders
varying mediump float group, strength;
void main() {
  float chosen = mod(state, 2.0), lit = mod(floor(state / ${LIT}.0), 2.0), hidden = mod(floor(state / ${HIDDEN}.0), 2.0);
  float stands = max(chosen, lit);
  vec2 at = (vec2(x, y) * scale + move) / size * 2.0 - 1.0;
  bool gone = x == 65535.0 && y == 65535.0;
  gl_Position = gone ? vec4(2.0, 2.0, 0.0, 1.0) : vec4(at.x, -at.y, 0.0, 1.0);
  gl_PointSize = wide * (1.0 + 0.7 * stands * above);
  group = code;
  strength = stands > 0.5 ? 1.0 : hidden > 0.5 ? 0.06 : lights > 0.5 ? 0.18 : 0.82;
}`;
const FRAGMENT = `
precision mediump float;
uniform sampler2D palette;
uniform float above;
uniform vec3 ink;
varying float group, strength;
void main() {
  float far = length(gl_PointCoord - 0.5) * 2.0;
  if (far > 1.0) discard;
  vec3 colour = texture2D(palette, vec2((group + 0.5) / 256.0, 0.5)).rgb;
  if (above > 0.5 && far > 0.66) colour = ink;
  float alpha = strength * (1.0 - smoothstep(0.8, 1.0, far));
  gl_FragColor = vec4(colour * alpha, alpha);
}`;

export class WebGlPoints {
  // Throws where the browser has no WebGL, or draws it without a graphics card, unless that is `slow` enough for who asks.
  // The program is compiled while the points are on their way.
  constructor(canvas, slow = false) {
    const gl = canvas.getContext("webgl", { antialias: false, alpha: true, failIfMajorPerformanceCaveat: !slow });
    if (!gl) throw new Error("no WebGL");
    Object.assign(this, { canvas, gl, program: gl.createProgram(), all: {}, above: {}, places: {}, which: [] });
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
  }

  // Throws where the program did not compile.
  load(x, y) {
    const { gl, program } = this;
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "WebGL program");
    gl.useProgram(program);
    for (const name of ["move", "size", "scale", "wide", "above", "lights", "ink"]) this.places[name] = gl.getUniformLocation(program, name);
    Object.assign(this, { x, y, code: new Uint8Array(x.length), state: new Uint8Array(x.length) });
    for (const name of COLUMNS) { gl.enableVertexAttribArray(this.places[name] = gl.getAttribLocation(program, name)); this.send(this.all, name, this[name]); }
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [name, value] of [["MIN_FILTER", "NEAREST"], ["MAG_FILTER", "NEAREST"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl[value]);
    gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  send(buffers, name, values) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name] ||= gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }

  codes(values) { this.code = values; this.send(this.all, "code", values); this.gather(); }

  states(values) { this.state = values; this.send(this.all, "state", values); this.gather(); }

  // The points that stand out have buffers of their own: they are drawn again above the others.
  gather() {
    Object.assign(this, standing(this.state));
    for (const name of COLUMNS) this.send(this.above, name, this[name].constructor.from(this.which, (i) => this[name][i]));
  }

  palette(values, ink) { const { gl } = this; gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, values); this.ink = ink; }

  draw({ scale, left, top, wide, ratio }) {
    const { gl, canvas, places } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(places.size, canvas.width, canvas.height); gl.uniform2f(places.move, left * ratio, top * ratio);
    gl.uniform1f(places.scale, scale * ratio); gl.uniform1f(places.wide, wide * ratio);
    gl.uniform1f(places.lights, this.lit ? 1 : 0); gl.uniform3f(places.ink, ...this.ink.map((part) => part / 255));
    this.pass(this.all, this.x.length, 0);
    if (this.which.length) this.pass(this.above, this.which.length, 1);
  }

  pass(buffers, count, above) {
    const { gl, places } = this;
    for (const name of COLUMNS) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.vertexAttribPointer(places[name], 1, this[name].BYTES_PER_ELEMENT === 2 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_BYTE, false, 0, 0);
    }
    gl.uniform1f(places.above, above); gl.drawArrays(gl.POINTS, 0, count);
  }
}
