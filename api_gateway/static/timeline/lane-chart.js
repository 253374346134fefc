// Drawing on a canvas: stacked probabilities over time, and above them a ribbon for each episode.

import { colour, texture } from "../shared/palette.js";

const RIBBON = 20;
const GAP = 4;
const LETTERS = "600 11.5px system-ui, sans-serif";
const GAP_MS = 1500; // without readings for longer, the face was away

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{number: number, samples: {ms: number, probabilities: object}[], story: object[], gapMs?: number}[]} tracks
 *   faces, one after the other
 * @param {{from: number, to: number}} span milliseconds at the left and the right edge
 * @param {string[]} labels from bottom to top
 */
export function drawLane(canvas, tracks, span, labels) {
  const pen = sized(canvas);
  const { width, height } = canvas.getBoundingClientRect();
  const x = (ms) => ((ms - span.from) / (span.to - span.from)) * width;
  const paints = new Map(labels.map((label) => [label, fills(pen, label, labels)]));
  const area = { top: RIBBON + GAP, height: height - RIBBON - GAP, labels, paints };
  for (const track of tracks) {
    for (const run of runs(track.samples, track.gapMs ?? GAP_MS)) drawRun(pen, run, x, area);
    for (const episode of track.story) {
      const words = tracks.length > 1 ? [`${track.number} ${episode.emotion}`, `${track.number}`] : [episode.emotion];
      drawRibbon(pen, episode, x, paints.get(episode.emotion) ?? [colour(episode.emotion)], words);
    }
  }
}

/** The pen of a canvas whose pixels are those of the device; one unit is one CSS pixel. */
export function sized(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio;
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

function runs(samples, gapMs) {
  const found = [];
  for (const sample of samples) {
    const last = found.at(-1)?.at(-1);
    if (last && sample.ms - last.ms <= gapMs) found.at(-1).push(sample);
    else found.push([sample]);
  }
  return found;
}

function drawRun(pen, run, x, { top, height, labels, paints }) {
  let below = run.map(() => 0);
  for (const label of labels) {
    const above = run.map((sample, index) => Math.min(1, below[index] + (sample.probabilities[label] ?? 0)));
    const y = (part) => top + height * (1 - part);
    pen.beginPath();
    run.forEach((sample, index) => pen.lineTo(x(sample.ms), y(above[index])));
    pen.lineTo(x(run.at(-1).ms) + 1, y(above.at(-1)));
    pen.lineTo(x(run.at(-1).ms) + 1, y(below.at(-1)));
    for (let index = run.length - 1; index >= 0; index -= 1) pen.lineTo(x(run[index].ms), y(below[index]));
    pen.globalAlpha = 0.82;
    pour(pen, paints.get(label));
    below = above;
  }
  pen.globalAlpha = 1;
}

/** With the longest of these words that has room. */
function drawRibbon(pen, episode, x, paints, choice) {
  const left = Math.max(0, x(episode.start_ms));
  const right = Math.max(x(episode.end_ms), left + 3);
  pen.beginPath();
  pen.roundRect(left, 0, right - left, RIBBON, 5);
  pour(pen, paints);
  pen.font = LETTERS;
  const words = choice.find((one) => pen.measureText(one).width + 3 < right - left);
  if (!words) return;
  pen.save();
  pen.clip();
  if (paints.length > 1) { // letters are read on plain colour
    pen.fillStyle = paints[0];
    pen.fillRect(left, 0, pen.measureText(words).width + 9, RIBBON);
  }
  pen.fillStyle = "#16151c";
  pen.fillText(words, left + Math.min(6, (right - left - pen.measureText(words).width) / 2), RIBBON / 2 + 4);
  pen.restore();
}

/** Fill the path with each of these, one above the other. */
export function pour(pen, paints) {
  for (const style of paints) {
    pen.fillStyle = style;
    pen.fill();
  }
}

/** The fills of an emotion, one above the other: its colour and, where another has the same, a texture. */
export function fills(pen, label, labels) {
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
  return [colour(label), pen.createPattern(tile, "repeat")];
}
