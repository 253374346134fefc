// The last three minutes of a source: a lane for each face, and the same episodes as text.

import { formatDuration, formatTime, now } from "../shared/clock.js";
import { createElement } from "../shared/dom.js";
import { legendItems } from "../shared/legend.js";
import { Lane } from "./lane.js";
import { HISTORY_MS, Track } from "./track.js";

const MAX_LANES = 5;
const MIN_DURATION_MS = 2000; // a shorter track that has ended gets no lane; the episode list includes it
const ACTIVE_MS = 2500; // a track without a reading for longer has ended
const MAX_LIST_ITEMS = 40;
const DRAWS_PER_TEXT_UPDATE = 8;

export class Timeline {
  /** @param {{legend, lanes, episodes}} parts of a tile */
  constructor({ legend, lanes, episodes }) {
    this.legend = legend;
    this.laneList = lanes;
    this.episodeList = episodes;
    this.tracks = new Map();
    this.lanes = [];
    this.draws = 0;
  }

  addReading(reading) {
    if (reading.emotion) this.trackOf(reading).addReading(reading);
  }

  addEpisode(episode) {
    this.trackOf(episode).addEpisode(episode);
  }

  /** Add the stored history from before the page was opened. */
  addHistory(readings, episodes) {
    const byTrack = Map.groupBy(readings, ({ epoch, track }) => `${epoch}/${track}`);
    for (const trackReadings of byTrack.values()) this.trackOf(trackReadings[0]).addStoredReadings(trackReadings);
    episodes.forEach((episode) => this.addEpisode(episode));
  }

  trackOf({ epoch, track }) {
    const key = `${epoch}/${track}`;
    if (!this.tracks.has(key)) this.tracks.set(key, new Track(track, epoch));
    return this.tracks.get(key);
  }

  /** Draw the current state; call it several times a second. */
  draw() {
    const range = { from: now() - HISTORY_MS, to: now() };
    for (const [key, track] of this.tracks) {
      track.dropBefore(range.from);
      if (track.lastSeenMs < range.from) this.tracks.delete(key);
    }
    const shown = [...this.tracks].filter(([, track]) => (
      range.to - track.lastSeenMs < ACTIVE_MS || track.durationMs > MIN_DURATION_MS
    ));
    this.assignLanes(shown.sort(([, a], [, b]) => a.firstSeenMs - b.firstSeenMs || a.number - b.number));
    const labels = [...new Set(shown.flatMap(([, track]) => track.labels))];
    this.updateLegend(labels);
    for (const lane of this.lanes) lane.draw(range, labels);
    if (this.draws++ % DRAWS_PER_TEXT_UPDATE === 0) this.updateText();
  }

  /** Put each new track into the first lane with room; a track never changes its lane. */
  assignLanes(shown) {
    const keys = new Set(shown.map(([key]) => key));
    this.lanes.forEach((lane) => lane.retain(keys));
    const assigned = new Set(this.lanes.flatMap((lane) => [...lane.tracks.keys()]));
    for (const [key, track] of shown) {
      if (assigned.has(key)) continue;
      let lane = this.lanes.find((one) => one.hasRoomFor(track));
      if (!lane && this.lanes.length < MAX_LANES) {
        lane = new Lane();
        this.lanes.push(lane);
        this.laneList.append(lane.root);
      }
      lane?.add(key, track);
    }
    this.lanes.filter((lane) => !lane.tracks.size).forEach((lane) => lane.root.remove());
    this.lanes = this.lanes.filter((lane) => lane.tracks.size);
  }

  updateLegend(labels) {
    if (labels.join("\n") === this.shownLabels) return;
    this.shownLabels = labels.join("\n");
    this.legend.replaceChildren(...legendItems(labels));
  }

  updateText() {
    this.lanes.forEach((lane) => lane.updateDescription());
    const episodes = [...this.tracks.values()].flatMap((track) => track.episodes);
    const newest = episodes.sort((a, b) => b.start_ms - a.start_ms).slice(0, MAX_LIST_ITEMS);
    const lines = newest.map(describe);
    if (!lines.length) lines.push("No episodes yet.");
    if (lines.join("\n") === this.shownText) return; // keep the reading position of screen readers
    this.shownText = lines.join("\n");
    this.episodeList.replaceChildren(...lines.map((line) => createElement("li", { text: line })));
  }
}

function describe({ track, emotion, start_ms, duration_ms, mean_confidence }) {
  const confidence = mean_confidence.toFixed(0);
  return `${formatTime(start_ms)}: face ${track}, ${emotion} for ${formatDuration(duration_ms)}, mean confidence ${confidence}%`;
}
