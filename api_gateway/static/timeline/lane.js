// A row of the timeline: one face after the other, each beside its number.

import { drawLane } from "./lane-chart.js";
import { length } from "../shared/clock.js";
import { copyOf, write } from "../shared/dom.js";

const APART_MS = 1000;

export class Lane {
  constructor() {
    Object.assign(this, copyOf("lane"));
    this.tracks = new Map();
  }

  /** Whether there is room for this face: nobody else is there at its time. */
  isFree({ first, seen }) {
    return [...this.tracks.values()].every((other) => other.seen + APART_MS < first || seen + APART_MS < other.first);
  }

  add(key, track) {
    this.tracks.set(key, track);
  }

  /** Only these stay. */
  keep(keys) {
    for (const key of this.tracks.keys()) if (!keys.has(key)) this.tracks.delete(key);
  }

  draw(span, labels) {
    const tracks = [...this.tracks.values()];
    write(this.name, namesOf(tracks.map((track) => track.number)));
    drawLane(this.canvas, tracks, span, labels);
  }

  /** For those who do not see it. */
  say() {
    const told = [...this.tracks.values()].map((track) => `face ${track.number}: ${shares(track.story)}`);
    this.canvas.setAttribute("aria-label", told.join("; "));
  }
}

function namesOf(numbers) {
  if (numbers.length <= 1) return `face ${numbers[0] ?? ""}`;
  return `faces ${Math.min(...numbers)}–${Math.max(...numbers)}`;
}

/** For example "happy 62%, sad 38% of 41 s". */
function shares(story) {
  const lengths = new Map();
  for (const { emotion, duration_ms } of story) lengths.set(emotion, (lengths.get(emotion) ?? 0) + duration_ms);
  const all = story.reduce((sum, episode) => sum + episode.duration_ms, 0);
  if (!all) return "no episode yet";
  const parts = [...lengths].sort(([, a], [, b]) => b - a);
  return `${parts.map(([emotion, ms]) => `${emotion} ${Math.round((ms / all) * 100)}%`).join(", ")} of ${length(all)}`;
}
