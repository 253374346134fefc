// The shares of emotions over a time range: a stacked column chart, and a legend with the duration of each emotion.

import { fillPath, fillStyles, prepareCanvas } from "../shared/canvas.js";
import { formatDuration, formatTime } from "../shared/clock.js";
import { createElement } from "../shared/dom.js";
import { legendItems } from "../shared/legend.js";

const COLUMNS = 60;
const HEIGHT = 150;

export class EmotionShares {
  /** @param {HTMLElement} container */
  constructor(container) {
    this.canvas = createElement("canvas", { class: "shares", role: "img" });
    this.axis = createElement("p", { class: "axis", "aria-hidden": "true" });
    this.legend = createElement("ul", { class: "legend" });
    this.summary = createElement("p", { class: "small" });
    container.replaceChildren(this.legend, this.canvas, this.axis, this.summary);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
  }

  /**
   * @param {object[]} episodes @param {{from: number, to: number}} range @param {string[]} labels
   * @param {number | null} oldest the start of the oldest episode, if the range has earlier ones that are not loaded
   */
  show(episodes, range, labels, oldest) {
    Object.assign(this, { columns: sumByColumn(episodes, range), labels });
    const totals = new Map(labels.map((label) => [label, 0]));
    for (const { emotion, duration_ms } of episodes) totals.set(emotion, totals.get(emotion) + duration_ms);
    const descriptions = [...totals].map(([label, ms]) => `${label} ${formatDuration(ms)}`);
    this.legend.replaceChildren(...legendItems(labels, (label) => `${label}, ${formatDuration(totals.get(label))}`));
    this.axis.replaceChildren(...[range.from, (range.from + range.to) / 2, range.to].map((ms) => (
      createElement("span", { text: formatTime(ms) })
    )));
    this.summary.textContent = oldest
      ? `Newest ${episodes.length} episodes, since ${formatTime(oldest)}. The CSV file contains all episodes.`
      : `${episodes.length} episode${episodes.length === 1 ? "" : "s"}.`;
    this.canvas.setAttribute("aria-label", `Duration of each emotion: ${descriptions.join(", ") || "none"}`);
    this.draw();
  }

  draw() {
    if (!this.columns || !this.canvas.clientWidth) return;
    const context = prepareCanvas(this.canvas);
    const { width } = this.canvas.getBoundingClientRect();
    const highest = Math.max(1, ...this.columns.map((column) => [...column.values()].reduce((sum, ms) => sum + ms, 0)));
    const columnWidth = width / COLUMNS;
    const styles = new Map(this.labels.map((label) => [label, fillStyles(context, label, this.labels)]));
    this.columns.forEach((column, index) => {
      let bottom = HEIGHT;
      for (const label of this.labels) {
        const height = ((column.get(label) ?? 0) / highest) * HEIGHT;
        context.beginPath();
        context.rect(index * columnWidth + 1, bottom - height, columnWidth - 2, height);
        fillPath(context, styles.get(label));
        bottom -= height;
      }
    });
  }
}

/** The milliseconds of each emotion in each column of the chart. */
function sumByColumn(episodes, { from, to }) {
  const columns = Array.from({ length: COLUMNS }, () => new Map());
  const columnMs = (to - from) / COLUMNS;
  for (const { emotion, start_ms, end_ms } of episodes) {
    const first = Math.max(0, Math.floor((start_ms - from) / columnMs));
    const last = Math.min(COLUMNS - 1, Math.floor((end_ms - from) / columnMs));
    for (let index = first; index <= last; index += 1) {
      const overlap = Math.min(end_ms, from + (index + 1) * columnMs) - Math.max(start_ms, from + index * columnMs);
      columns[index].set(emotion, (columns[index].get(emotion) ?? 0) + Math.max(0, overlap));
    }
  }
  return columns;
}
