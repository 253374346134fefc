// The section History: the episodes that were recorded, as a chart and as a table.

import { address, ask } from "../shared/api.js";
import { clockTime, length, now } from "../shared/clock.js";
import { element, make, offer } from "../shared/dom.js";
import { paint } from "../shared/palette.js";
import { say, saying } from "../shared/status-message.js";
import { Shares } from "./emotion-shares.js";

const HOUR_MS = 3_600_000;
const SPANS = new Map([
  ["the last 15 minutes", HOUR_MS / 4], ["the last hour", HOUR_MS], ["the last 6 hours", 6 * HOUR_MS],
  ["the last day", 24 * HOUR_MS], ["the last week", 168 * HOUR_MS],
]);
const PAGE = 500;
const ROWS = 50; // shown at a time

export class History {
  /** @param {{names: () => string[], labels: () => Promise<string[]>}} known sources and emotions to choose from */
  constructor(known) {
    this.known = known;
    this.form = element("history-filters").elements;
    this.line = element("history-line");
    this.rows = element("history-rows");
    this.more = element("history-more");
    this.shares = new Shares(element("history-chart"));
    offer(this.form.span, [...SPANS.keys()], { chosen: "the last hour" });
    element("history-filters").addEventListener("change", () => this.load());
    element("history-filters").addEventListener("submit", (event) => event.preventDefault());
    this.more.addEventListener("click", () => this.showMore());
  }

  /** The section is shown. */
  async enter() {
    offer(this.form.source, this.known.names(), { first: "all" });
    offer(this.form.emotion, await this.known.labels(), { first: "all" });
    await this.load();
  }

  /** What is asked for, as the query of the episodes. */
  query() {
    const { source, emotion, track } = this.form;
    return { source: source.value, emotion: emotion.value, track: track.value.trim(), from: this.span.from, to: this.span.to };
  }

  async load() {
    const to = Math.round(now());
    this.span = { from: to - SPANS.get(this.form.span.value), to };
    const asked = this.query();
    this.latest = asked;
    element("history-csv").href = address("/api/v1/episodes", { ...asked, format: "csv" });
    const page = await saying(this.line, () => ask(address("/api/v1/episodes", { ...asked, limit: PAGE })));
    if (!page || this.latest !== asked) return; // another filter was chosen meanwhile
    this.episodes = page.items;
    this.next = page.next;
    this.shown = 0;
    this.rows.replaceChildren();
    if (!this.episodes.length) say(this.line, "No episode was recorded in this time.");
    await this.showMore();
    this.draw();
  }

  async showMore() {
    if (this.shown + ROWS > this.episodes.length && this.next) {
      const page = await saying(this.line, () => ask(address("/api/v1/episodes", { ...this.latest, limit: PAGE, after: this.next })));
      if (!page) return;
      this.episodes.push(...page.items);
      this.next = page.next;
      this.draw();
    }
    const labels = this.labels;
    this.rows.append(...this.episodes.slice(this.shown, this.shown + ROWS).map((episode) => row(episode, labels)));
    this.shown = Math.min(this.shown + ROWS, this.episodes.length);
    this.more.hidden = this.shown === this.episodes.length && !this.next;
  }

  get labels() {
    return [...new Set(this.episodes.map((episode) => episode.emotion))].sort();
  }

  draw() {
    const oldest = this.next ? this.episodes.at(-1).start_ms : null;
    this.shares.show(this.episodes, this.span, this.labels, oldest);
  }
}

function row(episode, labels) {
  const number = (text) => make("td", { class: "number", text });
  return make("tr", {},
    make("td", { text: clockTime(episode.start_ms) }),
    make("td", {}, make("span", { class: `emotion ${paint(episode.emotion, labels)}`, text: episode.emotion })),
    make("td", { text: episode.source }), make("td", { text: episode.track }),
    number(length(episode.duration_ms)), number(`${episode.mean_confidence.toFixed(0)}%`));
}
