// The recent history of one face: its probabilities, up to four samples a second, and its episodes.

export const HISTORY_MS = 180_000;
const SAMPLE_INTERVAL_MS = 250;

export class Track {
  /** @param {number} number @param {string} epoch */
  constructor(number, epoch) {
    this.number = number;
    this.epoch = epoch;
    this.samples = [];
    this.episodesById = new Map();
    this.lastSeenMs = 0;
  }

  /** Add a reading, or any object with `captured_ms` and `probabilities`. Only the last one of each interval is kept. */
  addReading(reading) {
    const { captured_ms: ms, probabilities } = reading;
    this.lastSeenMs = Math.max(this.lastSeenMs, ms);
    const last = this.samples.at(-1);
    if (last && ms < last.ms) return;
    if (last && Math.floor(last.ms / SAMPLE_INTERVAL_MS) === Math.floor(ms / SAMPLE_INTERVAL_MS)) this.samples.pop();
    this.samples.push({ ms, probabilities });
  }

  /** Add stored readings, oldest first; those that overlap with live readings are dropped. */
  addStoredReadings(readings) {
    const live = this.samples.splice(0);
    const firstLiveMs = live[0]?.ms ?? Infinity;
    for (const reading of readings) if (reading.captured_ms < firstLiveMs) this.addReading(reading);
    this.samples.push(...live);
  }

  /** Add an episode, or replace an earlier state of it. */
  addEpisode(episode) {
    const known = this.episodesById.get(episode.id);
    if (known && known.end_ms > episode.end_ms) return;
    this.episodesById.set(episode.id, episode);
    this.lastSeenMs = Math.max(this.lastSeenMs, episode.end_ms);
  }

  /** Drop samples and episodes that end before this time. */
  dropBefore(ms) {
    const first = this.samples.findIndex((sample) => sample.ms >= ms);
    this.samples.splice(0, first < 0 ? this.samples.length : first);
    for (const [id, episode] of this.episodesById) if (episode.end_ms < ms) this.episodesById.delete(id);
  }

  /** The time of the earliest sample or episode that is kept. */
  get firstSeenMs() {
    return Math.min(this.samples[0]?.ms ?? Infinity, this.episodes[0]?.start_ms ?? Infinity);
  }

  get durationMs() {
    return this.lastSeenMs - this.firstSeenMs;
  }

  /** The labels of the model that made the newest reading. */
  get labels() {
    return Object.keys(this.samples.at(-1)?.probabilities ?? {});
  }

  /** Episodes in order of time. */
  get episodes() {
    return [...this.episodesById.values()].sort((a, b) => a.start_ms - b.start_ms);
  }
}
