// Points by WebGL 1: two columns of coordinates, a byte of colour and a byte of state for each, sent once.

import { CHOSEN, HIDDEN, LIT } from "./map_states.js";

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
  gl_Position = gone || (above > 0.5 && stands < 0.5) ? vec4(2.0, 2.0, 0.0, 1.0) : vec4(at.x, -at.y, 0.0, 1.0);
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
  constructor(canvas, x, y, slow = false) {
    const gl = canvas.getContext("webgl", { antialias: false, alpha: true, failIfMajorPerformanceCaveat: !slow });
    if (!gl) throw new Error("no WebGL");
    Object.assign(this, { canvas, gl, count: x.length, buffers: {}, places: {} });
    this.program = this.linked();
    gl.useProgram(this.program);
    for (const name of ["move", "size", "scale", "wide", "above", "lights", "ink"]) this.places[name] = gl.getUniformLocation(this.program, name);
    this.column("x", x, gl.UNSIGNED_SHORT); this.column("y", y, gl.UNSIGNED_SHORT);
    this.column("code", new Uint8Array(x.length), gl.UNSIGNED_BYTE); this.column("state", new Uint8Array(x.length), gl.UNSIGNED_BYTE);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const [name, value] of [["MIN_FILTER", "NEAREST"], ["MAG_FILTER", "NEAREST"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl[value]);
    gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  linked() {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "WebGL program");
    return program;
  }

  column(name, values, type) {
    const { gl } = this, place = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name] = gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 1, type, false, 0, 0);
  }

  replace(name, values) { const { gl } = this; gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]); gl.bufferSubData(gl.ARRAY_BUFFER, 0, values); }

  codes(values) { this.replace("code", values); }

  states(values) { this.replace("state", values); this.stands = values.some((one) => one & (CHOSEN | LIT)); this.lit = values.some((one) => one & LIT); }

  palette(values, ink) { const { gl } = this; gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, values); this.ink = ink; }

  draw({ scale, left, top, wide, ratio }) {
    const { gl, canvas, places } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(places.size, canvas.width, canvas.height); gl.uniform2f(places.move, left * ratio, top * ratio);
    gl.uniform1f(places.scale, scale * ratio); gl.uniform1f(places.wide, wide * ratio);
    gl.uniform1f(places.lights, this.lit ? 1 : 0); gl.uniform3f(places.ink, ...this.ink.map((part) => part / 255));
    for (const above of this.stands ? [0, 1] : [0]) { gl.uniform1f(places.above, above); gl.drawArrays(gl.POINTS, 0, this.count); }
  }
}
