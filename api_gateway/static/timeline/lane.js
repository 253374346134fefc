// A lane of the timeline: one row in which faces follow one another, labelled with their numbers.

import { formatDuration } from "../shared/clock.js";
import { cloneTemplate, setText } from "../shared/dom.js";
import { drawLane } from "./lane-chart.js";

const MIN_DISTANCE_MS = 1000;

export class Lane {
  constructor() {
    Object.assign(this, cloneTemplate("lane"));
    this.tracks = new Map();
  }

  /** Whether this track overlaps in time with no track of the lane. */
  hasRoomFor({ firstSeenMs, lastSeenMs }) {
    return [...this.tracks.values()].every((other) => (
      other.lastSeenMs + MIN_DISTANCE_MS < firstSeenMs || lastSeenMs + MIN_DISTANCE_MS < other.firstSeenMs
    ));
  }

  add(key, track) {
    this.tracks.set(key, track);
  }

  /** Remove all tracks but these. */
  retain(keys) {
    for (const key of this.tracks.keys()) if (!keys.has(key)) this.tracks.delete(key);
  }

  draw(range, labels) {
    const tracks = [...this.tracks.values()];
    setText(this.name, laneName(tracks.map((track) => track.number)));
    drawLane(this.canvas, tracks, range, labels);
  }

  /** Update the description for screen readers. */
  updateDescription() {
    const descriptions = [...this.tracks.values()].map((track) => `face ${track.number}: ${emotionShares(track.episodes)}`);
    this.canvas.setAttribute("aria-label", descriptions.join("; "));
  }
}

function laneName(numbers) {
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)]; // a number comes again after a reconnection
  return first === last ? `face ${first}` : `faces ${first}–${last}`;
}

/** For example "happy 62%, sad 38% of 41 s". */
function emotionShares(episodes) {
  const durations = new Map();
  for (const { emotion, duration_ms } of episodes) durations.set(emotion, (durations.get(emotion) ?? 0) + duration_ms);
  const total = episodes.reduce((sum, episode) => sum + episode.duration_ms, 0);
  if (!total) return "no episodes yet";
  const shares = [...durations].sort(([, a], [, b]) => b - a);
  return `${shares.map(([emotion, ms]) => `${emotion} ${Math.round((ms / total) * 100)}%`).join(", ")} of ${formatDuration(total)}`;
}
