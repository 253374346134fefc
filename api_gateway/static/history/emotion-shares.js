// How much of each emotion there was over a span of time: a column for each part of it, and the same in words.

import { fills, pour, sized } from "../timeline/lane-chart.js";
import { clockTime, length } from "../shared/clock.js";
import { make } from "../shared/dom.js";
import { paint } from "../shared/palette.js";

const COLUMNS = 60;
const HEIGHT = 150;

export class Shares {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.canvas = make("canvas", { class: "shares", role: "img" });
    this.axis = make("p", { class: "axis", "aria-hidden": "true" });
    this.legend = make("ul", { class: "legend" });
    this.words = make("p", { class: "small" });
    place.replaceChildren(this.legend, this.canvas, this.axis, this.words);
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.canvas);
  }

  /**
   * @param {object[]} episodes @param {{from: number, to: number}} span @param {string[]} labels
   * @param {number | null} oldest if there are earlier episodes than these: when the first of these began
   */
  show(episodes, span, labels, oldest) {
    Object.assign(this, { columns: added(episodes, span), span, labels });
    const totals = new Map(labels.map((label) => [label, 0]));
    for (const { emotion, duration_ms } of episodes) totals.set(emotion, totals.get(emotion) + duration_ms);
    this.legend.replaceChildren(...labels.map((label) => (
      make("li", { class: paint(label, labels) }, make("span", { class: "swatch" }), `${label}, ${length(totals.get(label))}`)
    )));
    this.axis.replaceChildren(...[span.from, (span.from + span.to) / 2, span.to].map((ms) => make("span", { text: clockTime(ms) })));
    this.words.textContent = oldest
      ? `The newest ${episodes.length} episodes, back to ${clockTime(oldest)}; the file has all of them.`
      : `${episodes.length} episode${episodes.length === 1 ? "" : "s"}.`;
    this.canvas.setAttribute("aria-label", `Time of each emotion: ${[...totals].map(([label, ms]) => `${label} ${length(ms)}`).join(", ") || "none"}`);
    this.draw();
  }

  draw() {
    if (!this.columns || !this.canvas.clientWidth) return;
    const pen = sized(this.canvas);
    const { width } = this.canvas.getBoundingClientRect();
    const highest = Math.max(1, ...this.columns.map((column) => [...column.values()].reduce((sum, ms) => sum + ms, 0)));
    const wide = width / COLUMNS;
    const paints = new Map(this.labels.map((label) => [label, fills(pen, label, this.labels)]));
    this.columns.forEach((column, index) => {
      let bottom = HEIGHT;
      for (const label of this.labels) {
        const high = ((column.get(label) ?? 0) / highest) * HEIGHT;
        pen.beginPath();
        pen.rect(index * wide + 1, bottom - high, wide - 2, high);
        pour(pen, paints.get(label));
        bottom -= high;
      }
    });
  }
}

/** For each column the milliseconds of each emotion in it. */
function added(episodes, { from, to }) {
  const columns = Array.from({ length: COLUMNS }, () => new Map());
  const wide = (to - from) / COLUMNS;
  for (const { emotion, start_ms, end_ms } of episodes) {
    const first = Math.max(0, Math.floor((start_ms - from) / wide));
    const last = Math.min(COLUMNS - 1, Math.floor((end_ms - from) / wide));
    for (let index = first; index <= last; index += 1) {
      const part = Math.min(end_ms, from + (index + 1) * wide) - Math.max(start_ms, from + index * wide);
      columns[index].set(emotion, (columns[index].get(emotion) ?? 0) + Math.max(0, part));
    }
  }
  return columns;
}
