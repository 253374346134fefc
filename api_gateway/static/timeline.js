// The last three minutes of a source, a lane for each face; and the same in words.

import { drawTrack } from "./chart.js";
import { clockTime, length, now } from "./clock.js";
import { copyOf, make } from "./dom.js";
import { paint } from "./palette.js";
import { KEPT_MS, Track } from "./track.js";

const MOST_LANES = 5;
const PASSING_MS = 2000; // who was there for less and is gone has no lane; the words have all of them
const HERE_MS = 2500;
const MOST_WORDS = 40;
const WORDS_EVERY = 8; // draws: what is said in words need not change four times a second

export class Timeline {
  /** @param {{timeline, legend, lanes, words}} parts of a tile */
  constructor({ timeline, legend, lanes, words }) {
    this.place = timeline;
    this.legend = legend;
    this.lanes = lanes;
    this.words = words;
    this.tracks = new Map();
    this.shown = new Map();
    this.draws = 0;
  }

  /** A reading of the source. */
  read(reading) {
    if (reading.emotion) this.track(reading).read(reading);
  }

  /** An episode of the source. */
  follow(episode) {
    this.track(episode).follow(episode);
  }

  /** What was recorded before the page was opened. */
  recall(readings, episodes) {
    const apart = Map.groupBy(readings, ({ epoch, track }) => `${epoch}/${track}`);
    for (const some of apart.values()) this.track(some[0]).recall(some);
    episodes.forEach((episode) => this.follow(episode));
  }

  track({ epoch, track }) {
    const key = `${epoch}/${track}`;
    if (!this.tracks.has(key)) this.tracks.set(key, new Track(track, epoch));
    return this.tracks.get(key);
  }

  /** Draw how it stands now; to be called some times a second. */
  draw() {
    const span = { from: now() - KEPT_MS, to: now() };
    for (const [key, track] of this.tracks) {
      track.forget(span.from);
      if (track.seen < span.from) this.tracks.delete(key);
    }
    const lasting = [...this.tracks].filter(([, track]) => span.to - track.seen < HERE_MS || track.lasted > PASSING_MS);
    const latest = lasting.sort(([, a], [, b]) => b.seen - a.seen).slice(0, MOST_LANES);
    const rows = latest.sort(([, a], [, b]) => a.first - b.first || a.number - b.number);
    this.place.hidden = rows.length === 0;
    const labels = [...new Set(rows.flatMap(([, track]) => track.labels))];
    this.settleLanes(rows);
    this.settleLegend(labels);
    for (const [key, track] of rows) drawTrack(this.shown.get(key).canvas, track, span, labels);
    if (this.draws++ % WORDS_EVERY === 0) this.say();
  }

  settleLanes(rows) {
    const wanted = new Set(rows.map(([key]) => key));
    for (const [key, lane] of this.shown) {
      if (!wanted.has(key)) {
        lane.root.remove();
        this.shown.delete(key);
      }
    }
    rows.forEach(([key, track], index) => {
      if (this.shown.has(key)) return;
      const lane = copyOf("lane");
      lane.name.textContent = `face ${track.number}`;
      this.shown.set(key, lane);
      this.lanes.insertBefore(lane.root, this.lanes.children[index] ?? null);
    });
  }

  settleLegend(labels) {
    if (labels.join("\n") === this.told) return;
    this.told = labels.join("\n");
    this.legend.replaceChildren(...labels.map((label) => (
      make("li", { class: paint(label, labels) }, make("span", { class: "swatch" }), label)
    )));
  }

  say() {
    const told = [];
    for (const [key, track] of this.tracks) {
      const story = track.story;
      this.shown.get(key)?.canvas.setAttribute("aria-label", `face ${track.number}: ${shares(story)}`);
      told.push(...story.map((episode) => [episode.start_ms, inWords(episode)]));
    }
    const lines = told.sort(([a], [b]) => b - a).slice(0, MOST_WORDS).map(([, line]) => line);
    if (!lines.length) lines.push("No episode yet.");
    if (lines.join("\n") === this.said) return; // whoever reads it keeps the place
    this.said = lines.join("\n");
    this.words.replaceChildren(...lines.map((line) => make("li", { text: line })));
  }
}

function inWords({ track, emotion, start_ms, duration_ms, mean_confidence }) {
  const sure = mean_confidence.toFixed(0);
  return `${clockTime(start_ms)}: face ${track}, ${emotion} for ${length(duration_ms)}, ${sure}% on average`;
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
