// The section Live: a tile for each camera.

import { byId } from "../shared/dom.js";
import { backfill } from "../timeline/backfill.js";
import { Tile } from "./tile.js";
import { VideoFeed } from "./video-feed.js";

const DRAW_INTERVAL_MS = 250;
const MAX_WAITING_MS = 500; // the deadline for a worker to read a face; later, its readings are stale
const LATE_AFTER = 3; // consecutive seconds in which most readings are stale

export class LiveView {
  /** @param {HTMLElement} grid of the tiles @param {HTMLElement} placeholder shown while there is no source */
  constructor(grid, placeholder) {
    this.grid = grid;
    this.placeholder = placeholder;
    this.feed = new VideoFeed();
    this.tiles = new Map();
    this.sources = new Map();
    this.metrics = new Map(); // by source: its entry of the newest stats
    this.lateSeconds = new Map(); // by source
    this.outage = "connecting";
    setInterval(() => this.draw(), DRAW_INTERVAL_MS);
  }

  /** Replace all sources with those of a hello. */
  reset(sources, episodes) {
    const names = new Set(sources.map((status) => status.source));
    for (const name of this.sources.keys()) if (!names.has(name)) this.removeSource(name);
    sources.forEach((status) => this.updateSource(status));
    episodes.forEach((episode) => this.addEpisode(episode));
    this.feed.restart();
  }

  /** Add a source or update its state. Uploads and jobs have no live video. */
  updateSource(status) {
    if (status.source_kind !== "camera") return;
    const before = this.sources.get(status.source);
    this.sources.set(status.source, status);
    if (before && before.order !== status.order) this.place(status);
    if (!this.tiles.has(status.source)) {
      const tile = new Tile(status.source, this.feed);
      this.tiles.set(status.source, tile);
      this.place(status);
      backfill(tile.timeline, tile.source);
    }
    this.update();
  }

  /** Put the tile of a source at its place: by order, then by name, whichever source arrived first. */
  place({ source, order }) {
    const follows = (other) => other.order > order || (other.order === order && other.source > source);
    const following = [...this.sources.values()].filter((other) => follows(other) && this.tiles.has(other.source));
    following.sort((a, b) => a.order - b.order || (a.source > b.source ? 1 : -1));
    this.grid.insertBefore(this.tiles.get(source).root, following.length ? this.tiles.get(following[0].source).root : null);
  }

  /** The names of all sources, in the order of the tiles. */
  names() {
    return [...this.grid.children].map((tile) => tile.dataset.source);
  }

  removeSource(name) {
    this.sources.delete(name);
    this.tiles.get(name)?.close();
    this.tiles.delete(name);
    this.update();
  }

  /** Set why no source is live; empty if there is no outage. */
  setOutage(outage) {
    if (outage === this.outage) return;
    this.outage = outage;
    this.update();
  }

  addReading(reading) {
    this.tiles.get(reading.source)?.addReading(reading);
  }

  addEpisode(episode) {
    this.tiles.get(episode.source)?.timeline.addEpisode(episode);
  }

  showMetrics(stats) {
    this.metrics = new Map(Object.entries(stats.sources));
    for (const [name, metrics] of this.metrics) {
      const isLate = metrics.stale > metrics.readings_per_s / 2;
      this.lateSeconds.set(name, isLate ? (this.lateSeconds.get(name) ?? 0) + 1 : 0);
      this.tiles.get(name)?.showMetrics(metrics);
    }
    this.update();
  }

  /** Whether the faces of a source wait longer for a worker than they should. */
  isDelayed(name) {
    return this.metrics.get(name)?.waiting_ms > MAX_WAITING_MS;
  }

  /** Why the results of a source that is online are late or missing; empty if they are not. */
  warningOf(name) {
    const { warning } = this.sources.get(name);
    if (warning) return warning;
    if (this.isDelayed(name)) return "no worker reads its faces";
    const { stale, readings_per_s: readings } = this.metrics.get(name) ?? {};
    return this.lateSeconds.get(name) >= LATE_AFTER ? `inference is too slow: ${stale} of ${readings.toFixed(0)} results/s are late` : "";
  }

  update() {
    this.placeholder.hidden = this.tiles.size > 0 || Boolean(this.outage);
    for (const [name, tile] of this.tiles) tile.showState(this.sources.get(name), this.warningOf(name), this.outage);
  }

  draw() {
    if (!document.hidden && !byId("view-live").hidden) this.tiles.forEach((tile) => tile.draw());
  }
}
