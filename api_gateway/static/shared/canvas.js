// Drawing primitives: a canvas in device pixels, and the fills of an emotion.

import { colour, texture } from "./palette.js";

/** The context of a canvas that is scaled to device pixels and cleared; one unit is one CSS pixel. */
export function prepareCanvas(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio;
  const [pixelWidth, pixelHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) [canvas.width, canvas.height] = [pixelWidth, pixelHeight];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The fill styles of an emotion, bottom layer first: its colour and, where another label shares it, a texture. */
export function fillStyles(context, label, labels) {
  const kind = texture(label, labels);
  if (kind === 0) return [colour(label)];
  const tile = new OffscreenCanvas(6, 6);
  const lines = tile.getContext("2d");
  lines.strokeStyle = kind === 2 ? "rgb(255 255 255 / 55%)" : "rgb(0 0 0 / 35%)";
  lines.lineWidth = 1.6;
  const [start, end] = { 1: [[0, 6], [6, 0]], 2: [[0, 0], [6, 6]], 3: [[3, 0], [3, 6]] }[kind];
  lines.moveTo(...start);
  lines.lineTo(...end);
  lines.stroke();
  return [colour(label), context.createPattern(tile, "repeat")];
}

/** Fill the current path with each of these styles, bottom layer first. */
export function fillPath(context, styles) {
  for (const style of styles) {
    context.fillStyle = style;
    context.fill();
  }
}
