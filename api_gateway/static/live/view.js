// The section Live: a tile for each camera.

import { byId } from "../shared/dom.js";
import { backfill } from "../timeline/backfill.js";
import { Tile } from "./tile.js";
import { VideoFeed } from "./video-feed.js";

const DRAW_INTERVAL_MS = 250;

export class LiveView {
  /** @param {HTMLElement} grid of the tiles @param {HTMLElement} placeholder shown while there is no source */
  constructor(grid, placeholder) {
    this.grid = grid;
    this.placeholder = placeholder;
    this.feed = new VideoFeed();
    this.tiles = new Map();
    this.sources = new Map();
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
    this.sources.set(status.source, status);
    if (!this.tiles.has(status.source)) {
      const tile = new Tile(status.source, this.feed);
      this.tiles.set(status.source, tile);
      this.grid.append(tile.root);
      backfill(tile.timeline, tile.source);
    }
    this.update();
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
    for (const [name, metrics] of Object.entries(stats.sources)) this.tiles.get(name)?.showMetrics(metrics);
  }

  update() {
    this.placeholder.hidden = this.tiles.size > 0 || Boolean(this.outage);
    for (const [name, tile] of this.tiles) tile.showState(this.sources.get(name), this.outage);
  }

  draw() {
    if (!document.hidden && !byId("view-live").hidden) this.tiles.forEach((tile) => tile.draw());
  }
}
