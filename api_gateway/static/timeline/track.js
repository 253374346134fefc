// What is remembered of one face for the timeline: its probabilities, a few a second, and its episodes.

export const KEPT_MS = 180_000;
const STEP_MS = 250;

export class Track {
  /** @param {number} number @param {string} epoch */
  constructor(number, epoch) {
    this.number = number;
    this.epoch = epoch;
    this.samples = [];
    this.episodes = new Map();
    this.seen = 0;
  }

  /** A reading, or anything with `captured_ms` and `probabilities`; the last of each quarter of a second is kept. */
  read(reading) {
    const { captured_ms: ms, probabilities } = reading;
    this.seen = Math.max(this.seen, ms);
    const last = this.samples.at(-1);
    if (last && ms < last.ms) return;
    if (last && Math.floor(last.ms / STEP_MS) === Math.floor(ms / STEP_MS)) this.samples.pop();
    this.samples.push({ ms, probabilities });
  }

  /** Readings from before those that are known, the oldest first. */
  recall(readings) {
    const known = this.samples.splice(0);
    const before = known[0]?.ms ?? Infinity;
    for (const reading of readings) if (reading.captured_ms < before) this.read(reading);
    this.samples.push(...known);
  }

  /** An episode as it is by now. */
  follow(episode) {
    const known = this.episodes.get(episode.id);
    if (known && known.end_ms > episode.end_ms) return;
    this.episodes.set(episode.id, episode);
    this.seen = Math.max(this.seen, episode.end_ms);
  }

  /** Forget what is older than this. */
  forget(oldest) {
    const first = this.samples.findIndex((sample) => sample.ms >= oldest);
    this.samples.splice(0, first < 0 ? this.samples.length : first);
    for (const [id, episode] of this.episodes) if (episode.end_ms < oldest) this.episodes.delete(id);
  }

  /** When it was seen first, of what is remembered. */
  get first() {
    return Math.min(this.samples[0]?.ms ?? Infinity, this.story[0]?.start_ms ?? Infinity);
  }

  get lasted() {
    return this.seen - this.first;
  }

  /** The labels of the model that read it last. */
  get labels() {
    return Object.keys(this.samples.at(-1)?.probabilities ?? {});
  }

  /** Episodes in their order. */
  get story() {
    return [...this.episodes.values()].sort((a, b) => a.start_ms - b.start_ms);
  }
}
