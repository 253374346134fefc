// The section Live: a tile for each camera, in the order of the sources.

import { element } from "../shared/dom.js";
import { recall } from "../timeline/backfill.js";
import { Tile } from "./tile.js";

const DRAW_MS = 250;

export class Live {
  /** @param {HTMLElement} place for the tiles @param {HTMLElement} nothing shown while there is no source */
  constructor(place, nothing) {
    this.place = place;
    this.nothing = nothing;
    this.tiles = new Map();
    this.states = new Map();
    this.stale = "connecting";
    setInterval(() => this.draw(), DRAW_MS);
  }

  /** All sources, as the hello lists them: who is not among them is gone. */
  replace(states, episodes) {
    const names = new Set(states.map((state) => state.source));
    for (const name of this.states.keys()) if (!names.has(name)) this.remove(name);
    states.forEach((state) => this.update(state));
    episodes.forEach((episode) => this.follow(episode));
    this.tiles.forEach((tile) => tile.screen.restart());
  }

  /** One source has another state now. Uploads and jobs have no picture to watch. */
  update(state) {
    if (state.source_kind !== "camera") return;
    this.states.set(state.source, state);
    if (!this.tiles.has(state.source)) {
      const tile = new Tile(state.source);
      this.tiles.set(state.source, tile);
      this.place.append(tile.root);
      recall(tile);
    }
    this.settle();
  }

  /** One source is no more. */
  remove(name) {
    this.states.delete(name);
    this.tiles.get(name)?.close();
    this.tiles.delete(name);
    this.settle();
  }

  /** Why nothing that is shown is fresh; empty if it is. */
  judge(stale) {
    if (stale === this.stale) return;
    this.stale = stale;
    this.settle();
  }

  read(reading) {
    this.tiles.get(reading.source)?.read(reading);
  }

  follow(episode) {
    this.tiles.get(episode.source)?.timeline.follow(episode);
  }

  count(stats) {
    for (const [name, figures] of Object.entries(stats.sources)) this.tiles.get(name)?.count(figures);
  }

  settle() {
    this.nothing.hidden = this.tiles.size > 0 || Boolean(this.stale);
    for (const [name, tile] of this.tiles) tile.tell(this.states.get(name), this.stale);
  }

  draw() {
    if (!document.hidden && !element("view-live").hidden) this.tiles.forEach((tile) => tile.draw());
  }
}
