// The last three minutes of a source, lane by lane; and the same in words.

import { clockTime, length, now } from "../shared/clock.js";
import { make } from "../shared/dom.js";
import { Lane } from "./lane.js";
import { paint } from "../shared/palette.js";
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
    this.rows = lanes;
    this.words = words;
    this.tracks = new Map();
    this.lanes = [];
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
    this.settleLanes(lasting.sort(([, a], [, b]) => a.first - b.first || a.number - b.number));
    this.place.hidden = this.lanes.length === 0;
    const labels = [...new Set(lasting.flatMap(([, track]) => track.labels))];
    this.settleLegend(labels);
    for (const lane of this.lanes) lane.draw(span, labels);
    if (this.draws++ % WORDS_EVERY === 0) this.say();
  }

  /** A face stays in its lane; a new one gets the first that is free. */
  settleLanes(lasting) {
    const keys = new Set(lasting.map(([key]) => key));
    this.lanes.forEach((lane) => lane.keep(keys));
    const placed = new Set(this.lanes.flatMap((lane) => [...lane.tracks.keys()]));
    for (const [key, track] of lasting) {
      if (placed.has(key)) continue;
      let lane = this.lanes.find((one) => one.isFree(track));
      if (!lane && this.lanes.length < MOST_LANES) {
        lane = new Lane();
        this.lanes.push(lane);
        this.rows.append(lane.root);
      }
      lane?.add(key, track);
    }
    this.lanes.filter((lane) => !lane.tracks.size).forEach((lane) => lane.root.remove());
    this.lanes = this.lanes.filter((lane) => lane.tracks.size);
  }

  settleLegend(labels) {
    if (labels.join("\n") === this.told) return;
    this.told = labels.join("\n");
    this.legend.replaceChildren(...labels.map((label) => (
      make("li", { class: paint(label, labels) }, make("span", { class: "swatch" }), label)
    )));
  }

  say() {
    this.lanes.forEach((lane) => lane.say());
    const stories = [...this.tracks.values()].flatMap((track) => track.story);
    const told = stories.sort((a, b) => b.start_ms - a.start_ms).slice(0, MOST_WORDS);
    const lines = told.map(inWords);
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
