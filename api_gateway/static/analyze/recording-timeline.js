// The timeline of a recording: a lane for each of the longest tracks, and the episodes as text.

import { request } from "../shared/api.js";
import { formatDuration, formatPosition } from "../shared/clock.js";
import { cloneTemplate, createElement } from "../shared/dom.js";
import { legendItems } from "../shared/legend.js";
import { drawLane } from "../timeline/lane-chart.js";

const MAX_LANES = 8;
const MIN_SAMPLES = 200; // samples of a long recording are further apart, so longer gaps are normal

export class RecordingTimeline {
  /** @param {HTMLElement} container */
  constructor(container) {
    this.container = container;
  }

  /** Load and show a job's `timeline.json`. */
  async load(path) {
    try {
      this.show(await request(path));
    } catch (error) {
      this.container.replaceChildren(createElement("p", { class: "small", text: error.message }));
    }
  }

  /** @param {object} timeline the content of `timeline.json` */
  show({ labels, duration_ms: end, gap_ms, tracks, episodes }) {
    const longest = [...tracks].sort((a, b) => b.readings - a.readings).slice(0, MAX_LANES);
    const lanes = tracks.filter((track) => longest.includes(track)).map((track) => createLane(track, episodes, end, gap_ms));
    const elements = (tag, lines) => lines.map((line) => createElement(tag, { text: line }));
    this.container.replaceChildren(
      createElement("ul", { class: "legend" }, ...legendItems(labels)),
      createElement("div", { class: "lanes" }, ...lanes.map(({ root }) => root)),
      createElement("p", { class: "axis", "aria-hidden": "true" }, ...elements("span", [0, end / 2, end].map(formatPosition))),
      createElement("details", {}, createElement("summary", { text: "Episode list" }),
        createElement("ul", { class: "episode-list" }, ...elements("li", episodes.map(describe)))));
    const draw = () => lanes.forEach(({ canvas, track }) => canvas.clientWidth && drawLane(canvas, [track], { from: 0, to: end }, labels));
    new ResizeObserver(draw).observe(this.container);
  }
}

/** The elements of a lane, with the track to draw in it. */
function createLane({ track, times_ms, probabilities, shares }, episodes, end, gapMs) {
  const lane = cloneTemplate("lane");
  lane.name.textContent = `face ${track}`;
  const percentages = Object.entries(shares).map(([emotion, share]) => `${emotion} ${Math.round(share * 100)}%`);
  lane.canvas.setAttribute("aria-label", `face ${track}: ${percentages.join(", ")}`);
  const samples = times_ms.map((ms, index) => ({
    ms, probabilities: Object.fromEntries(Object.entries(probabilities).map(([label, values]) => [label, values[index]])),
  }));
  const trackEpisodes = episodes.filter((episode) => episode.track === track);
  return { ...lane, track: { number: track, samples, episodes: trackEpisodes, gapMs: Math.max(gapMs, end / MIN_SAMPLES) } };
}

const describe = ({ track, emotion, start_ms, duration_ms }) => (
  `face ${track}, ${emotion} from ${formatPosition(start_ms)} for ${formatDuration(duration_ms)}`
);
