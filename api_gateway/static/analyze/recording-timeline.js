// The timeline of a recording: a lane for each face that was in it for long, and its episodes in words.

import { ask } from "../shared/api.js";
import { drawLane } from "../timeline/lane-chart.js";
import { length, videoTime } from "../shared/clock.js";
import { copyOf, make } from "../shared/dom.js";
import { paint } from "../shared/palette.js";

const MOST_LANES = 8;
const FEWEST_POINTS = 200; // of a long recording the points are further apart

export class Recording {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /** Show what is at this path. */
  async load(path) {
    try {
      this.show(await ask(path));
    } catch (error) {
      this.place.replaceChildren(make("p", { class: "small", text: error.message }));
    }
  }

  /** @param {object} timeline a job's `timeline.json` */
  show({ labels, duration_ms: end, gap_ms, tracks, episodes }) {
    const longest = [...tracks].sort((a, b) => b.readings - a.readings).slice(0, MOST_LANES);
    const lanes = tracks.filter((track) => longest.includes(track)).map((track) => laneOf(track, episodes, end, gap_ms));
    const told = (tag, lines) => lines.map((line) => make(tag, { text: line }));
    this.place.replaceChildren(
      make("ul", { class: "legend" }, ...labels.map((label) => (
        make("li", { class: paint(label, labels) }, make("span", { class: "swatch" }), label)
      ))),
      make("div", { class: "lanes" }, ...lanes.map(({ root }) => root)),
      make("p", { class: "axis", "aria-hidden": "true" }, ...told("span", [0, end / 2, end].map(videoTime))),
      make("details", {}, make("summary", { text: "In words" }), make("ul", { class: "words" }, ...told("li", episodes.map(inWords)))));
    const draw = () => lanes.forEach(({ canvas, track }) => canvas.clientWidth && drawLane(canvas, [track], { from: 0, to: end }, labels));
    new ResizeObserver(draw).observe(this.place);
  }
}

/** A lane with what is drawn in it. */
function laneOf({ track, times_ms, probabilities, shares }, episodes, end, gapMs) {
  const lane = copyOf("lane");
  lane.name.textContent = `face ${track}`;
  const parts = Object.entries(shares).map(([emotion, share]) => `${emotion} ${Math.round(share * 100)}%`);
  lane.canvas.setAttribute("aria-label", `face ${track}: ${parts.join(", ")}`);
  const samples = times_ms.map((ms, index) => ({
    ms, probabilities: Object.fromEntries(Object.entries(probabilities).map(([label, points]) => [label, points[index]])),
  }));
  const story = episodes.filter((episode) => episode.track === track);
  return { ...lane, track: { number: track, samples, story, gapMs: Math.max(gapMs, end / FEWEST_POINTS) } };
}

const inWords = ({ track, emotion, start_ms, duration_ms }) => (
  `face ${track}, ${emotion} from ${videoTime(start_ms)} for ${length(duration_ms)}`
);
