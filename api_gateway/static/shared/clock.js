// Redis's clock, which all times of the pipeline use, and the formats of times and durations.

let offsetMs = 0;

/** Synchronise with the time in a message of the gateway. */
export function setServerTime(nowMs) {
  if (nowMs) offsetMs = nowMs - Date.now();
}

/** Milliseconds since 1970, by Redis's clock. */
export const now = () => Date.now() + offsetMs;

/** A time of day, for example 14:05:09; with the date unless it is today. */
export function formatTime(ms) {
  const time = new Date(ms);
  const isToday = time.toDateString() === new Date().toDateString();
  const clock = time.toLocaleTimeString([], { hour12: false });
  return isToday ? clock : `${time.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock}`;
}

/** A position in a recording, for example 1:05.2. */
export function formatPosition(ms) {
  const minutes = Math.floor(ms / 60000);
  return `${minutes}:${((ms - minutes * 60000) / 1000).toFixed(1).padStart(4, "0")}`;
}

/** A duration, for example 850 ms, 4.2 s, 3 min 5 s. */
export function formatDuration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60000);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${minutes} min ${Math.floor((ms % 60000) / 1000)} s`;
}
