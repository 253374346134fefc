// The timeline of a recording: a lane for each face that was in it for long, and its episodes in words.

import { ask } from "./api.js";
import { drawTrack } from "./chart.js";
import { length, videoTime } from "./clock.js";
import { copyOf, make } from "./dom.js";
import { paint } from "./palette.js";

const MOST_LANES = 8;

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

  /** @param {{labels: string[], duration_ms: number, tracks: object[]}} timeline of a job */
  show({ labels, duration_ms: end, tracks }) {
    const legend = labels.map((label) => make("li", { class: paint(label, labels) }, make("span", { class: "swatch" }), label));
    const longest = [...tracks].sort((a, b) => b.samples.length - a.samples.length).slice(0, MOST_LANES);
    const lanes = longest.sort((a, b) => a.track - b.track).map((track) => {
      const lane = copyOf("lane");
      lane.name.textContent = `face ${track.track}`;
      lane.canvas.setAttribute("aria-label", `face ${track.track}: ${track.episodes.map(inWords).join("; ") || "no episode"}`);
      return { ...lane, track };
    });
    const lines = tracks.flatMap(({ track, episodes }) => episodes.map((episode) => ({ track, ...episode })))
      .sort((a, b) => a.start_ms - b.start_ms)
      .map((episode) => make("li", { text: `face ${episode.track}, ${inWords(episode)}` }));
    this.place.replaceChildren(
      make("ul", { class: "legend" }, ...legend),
      make("div", { class: "lanes" }, ...lanes.map(({ root }) => root)),
      make("p", { class: "axis", "aria-hidden": "true" }, ...[0, end / 2, end].map((ms) => make("span", { text: videoTime(ms) }))),
      make("details", {}, make("summary", { text: "In words" }), make("ul", { class: "words" }, ...lines)));
    const draw = () => lanes.forEach(({ canvas, track }) => (
      canvas.clientWidth && drawTrack(canvas, { samples: track.samples, story: track.episodes }, { from: 0, to: end }, labels)
    ));
    new ResizeObserver(draw).observe(this.place);
    draw();
  }
}

const inWords = ({ emotion, start_ms, duration_ms }) => `${emotion} from ${videoTime(start_ms)} for ${length(duration_ms)}`;
