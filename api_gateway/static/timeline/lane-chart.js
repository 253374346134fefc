// The chart of a lane: stacked probabilities over time, and above them a bar for each episode.

import { fillPath, fillStyles, prepareCanvas } from "../shared/canvas.js";
import { colour } from "../shared/palette.js";

const EPISODE_HEIGHT = 20;
const SPACING = 4;
const FONT = "600 11.5px system-ui, sans-serif";
const MAX_GAP_MS = 1500; // a longer gap between two readings is left blank

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{number: number, samples: {ms: number, probabilities: object}[], episodes: object[], gapMs?: number}[]} tracks
 *   in order of time
 * @param {{from: number, to: number}} range milliseconds at the left and the right edge
 * @param {string[]} labels from bottom to top
 */
export function drawLane(canvas, tracks, range, labels) {
  const context = prepareCanvas(canvas);
  const { width, height } = canvas.getBoundingClientRect();
  const x = (ms) => ((ms - range.from) / (range.to - range.from)) * width;
  const styles = new Map(labels.map((label) => [label, fillStyles(context, label, labels)]));
  const area = { top: EPISODE_HEIGHT + SPACING, height: height - EPISODE_HEIGHT - SPACING, labels, styles };
  for (const track of tracks) {
    for (const run of splitAtGaps(track.samples, track.gapMs ?? MAX_GAP_MS)) drawProbabilities(context, run, x, area);
    for (const episode of track.episodes) {
      const captions = tracks.length > 1 ? [`${track.number} ${episode.emotion}`, `${track.number}`] : [episode.emotion];
      drawEpisode(context, episode, x, styles.get(episode.emotion) ?? [colour(episode.emotion)], captions);
    }
  }
}

function splitAtGaps(samples, gapMs) {
  const runs = [];
  for (const sample of samples) {
    const last = runs.at(-1)?.at(-1);
    if (last && sample.ms - last.ms <= gapMs) runs.at(-1).push(sample);
    else runs.push([sample]);
  }
  return runs;
}

function drawProbabilities(context, run, x, { top, height, labels, styles }) {
  let lower = run.map(() => 0);
  for (const label of labels) {
    const upper = run.map((sample, index) => Math.min(1, lower[index] + (sample.probabilities[label] ?? 0)));
    const y = (share) => top + height * (1 - share);
    context.beginPath();
    run.forEach((sample, index) => context.lineTo(x(sample.ms), y(upper[index])));
    context.lineTo(x(run.at(-1).ms) + 1, y(upper.at(-1)));
    context.lineTo(x(run.at(-1).ms) + 1, y(lower.at(-1)));
    for (let index = run.length - 1; index >= 0; index -= 1) context.lineTo(x(run[index].ms), y(lower[index]));
    context.globalAlpha = 0.82;
    fillPath(context, styles.get(label));
    lower = upper;
  }
  context.globalAlpha = 1;
}

/** Draw an episode with the first caption that fits. */
function drawEpisode(context, episode, x, styles, captions) {
  const left = Math.max(0, x(episode.start_ms));
  const right = Math.max(x(episode.end_ms), left + 3);
  context.beginPath();
  context.roundRect(left, 0, right - left, EPISODE_HEIGHT, 5);
  fillPath(context, styles);
  context.font = FONT;
  const caption = captions.find((text) => context.measureText(text).width + 3 < right - left);
  if (!caption) return;
  const captionWidth = context.measureText(caption).width;
  context.save();
  context.clip();
  if (styles.length > 1) { // text is hard to read on a texture
    context.fillStyle = styles[0];
    context.fillRect(left, 0, captionWidth + 9, EPISODE_HEIGHT);
  }
  context.fillStyle = "#16151c";
  context.fillText(caption, left + Math.min(6, (right - left - captionWidth) / 2), EPISODE_HEIGHT / 2 + 4);
  context.restore();
}
