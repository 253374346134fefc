// Redis's time, which all times of the pipeline are in, and how times are told.

let ahead = 0;

/** A message of the gateway told the time. */
export function setClock(nowMs) {
  if (nowMs) ahead = nowMs - Date.now();
}

/** Milliseconds since 1970, by Redis's clock. */
export const now = () => Date.now() + ahead;

/** As a time of this day: 14:05:09; with the day if it was another. */
export function clockTime(ms) {
  const time = new Date(ms);
  const today = time.toDateString() === new Date().toDateString();
  const clock = time.toLocaleTimeString([], { hour12: false });
  return today ? clock : `${time.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock}`;
}

/** As a time in a recording: 1:05.2. */
export function videoTime(ms) {
  const minutes = Math.floor(ms / 60000);
  return `${minutes}:${((ms - minutes * 60000) / 1000).toFixed(1).padStart(4, "0")}`;
}

/** As a length: 850 ms, 4.2 s, 3 min 5 s. */
export function length(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60000);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${minutes} min ${Math.floor((ms % 60000) / 1000)} s`;
}
