// The section History: the recorded episodes as a chart and as a table.

import { request, withQuery } from "../shared/api.js";
import { formatDuration, formatTime, now } from "../shared/clock.js";
import { byId, createElement, setOptions } from "../shared/dom.js";
import { emotionClasses } from "../shared/palette.js";
import { showStatus, withStatus } from "../shared/status-message.js";
import { EmotionShares } from "./emotion-shares.js";

const HOUR_MS = 3_600_000;
const TIME_RANGES = new Map([
  ["last 15 minutes", HOUR_MS / 4], ["last hour", HOUR_MS], ["last 6 hours", 6 * HOUR_MS],
  ["last day", 24 * HOUR_MS], ["last week", 168 * HOUR_MS],
]);
const PAGE_SIZE = 500;
const ROWS_PER_STEP = 50;

export class HistoryView {
  /** @param {{sources: () => string[], emotions: () => Promise<string[]>}} choices the options of the filters */
  constructor(choices) {
    this.choices = choices;
    this.filters = byId("history-filters").elements;
    this.status = byId("history-status");
    this.rows = byId("history-rows");
    this.moreButton = byId("history-more");
    this.chart = new EmotionShares(byId("history-chart"));
    setOptions(this.filters.range, [...TIME_RANGES.keys()], { selected: "last hour" });
    byId("history-filters").addEventListener("change", () => this.load());
    byId("history-filters").addEventListener("submit", (event) => event.preventDefault());
    this.moreButton.addEventListener("click", () => this.showMore());
  }

  /** Offer these sources; the chosen one stays an option although it is gone, because it has a history. */
  setSources(names) {
    const { value } = this.filters.source;
    const isGone = value && !names.includes(value);
    const emptyLabel = document.body.hasAttribute("data-single-sources") ? null : "all"; // such a viewer may not ask for all
    setOptions(this.filters.source, isGone ? [...names, value] : names, { emptyLabel });
  }

  /** Called when the section is shown. */
  async activate() {
    this.setSources(this.choices.sources());
    setOptions(this.filters.emotion, await this.choices.emotions(), { emptyLabel: "all" });
    await this.load();
  }

  /** The query parameters of the selected filters. */
  selectedQuery() {
    const { source, emotion, track } = this.filters;
    return { source: source.value, emotion: emotion.value, track: track.value.trim(), from: this.range.from, to: this.range.to };
  }

  async load() {
    const to = Math.round(now());
    this.range = { from: to - TIME_RANGES.get(this.filters.range.value), to };
    const query = this.selectedQuery();
    this.query = query;
    byId("history-csv").href = withQuery("/api/v1/episodes", { ...query, format: "csv" });
    const page = await withStatus(this.status, () => request(withQuery("/api/v1/episodes", { ...query, limit: PAGE_SIZE })));
    if (!page || this.query !== query) return; // the user has changed the filters meanwhile
    this.episodes = page.items;
    this.cursor = page.next;
    this.rowCount = 0;
    this.rows.replaceChildren();
    if (!this.episodes.length) showStatus(this.status, "No episodes in this time range.");
    await this.showMore();
    this.drawChart();
  }

  async showMore() {
    if (this.rowCount + ROWS_PER_STEP > this.episodes.length && this.cursor) {
      const query = { ...this.query, limit: PAGE_SIZE, after: this.cursor };
      const page = await withStatus(this.status, () => request(withQuery("/api/v1/episodes", query)));
      if (!page) return;
      this.episodes.push(...page.items);
      this.cursor = page.next;
      this.drawChart();
    }
    const labels = this.labels;
    const next = this.episodes.slice(this.rowCount, this.rowCount + ROWS_PER_STEP);
    this.rows.append(...next.map((episode) => createRow(episode, labels)));
    this.rowCount = Math.min(this.rowCount + ROWS_PER_STEP, this.episodes.length);
    this.moreButton.hidden = this.rowCount === this.episodes.length && !this.cursor;
  }

  get labels() {
    return [...new Set(this.episodes.map((episode) => episode.emotion))].sort();
  }

  drawChart() {
    const oldest = this.cursor ? this.episodes.at(-1).start_ms : null;
    this.chart.show(this.episodes, this.range, this.labels, oldest);
  }
}

function createRow(episode, labels) {
  const cell = (text) => createElement("td", { text });
  const numberCell = (text) => createElement("td", { class: "number", text });
  return createElement("tr", {},
    cell(formatTime(episode.start_ms)),
    createElement("td", {}, createElement("span", { class: `emotion ${emotionClasses(episode.emotion, labels)}`, text: episode.emotion })),
    cell(episode.source), cell(episode.track),
    numberCell(formatDuration(episode.duration_ms)), numberCell(`${episode.mean_confidence.toFixed(0)}%`));
}
