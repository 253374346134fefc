// The line of figures at the foot of the page, and whether faces are being saved.

const STANDS_AFTER = 8; // so many seconds in a row; one crop that waits for its batch is no backlog

const element = (id) => document.getElementById(id);

/** Show the figures of the gateway and of the chosen source. */
export function showFigures(stats, source) {
  const own = stats.sources[source];
  element("workers").textContent = stats.workers;
  element("age").textContent = own?.age_ms == null ? "–" : `${own.age_ms} ms`;
  element("readings").textContent = own ? `${own.readings_per_s.toFixed(1)} /s` : "–";
  element("skipped").textContent = own ? own.skipped : "–";
  showBacklog(own?.backlog ?? 0, source);
  element("model").textContent = stats.models.join(", ") || "–";
  showSaving(stats.saving);
}

let waiting = { source: null, seconds: 0 };

function showBacklog(backlog, source) {
  const before = waiting.source === source ? waiting.seconds : 0;
  waiting = { source, seconds: backlog > 0 ? before + 1 : 0 };
  const stands = waiting.seconds >= STANDS_AFTER;
  element("backlog").textContent = backlog;
  element("backlog").dataset.state = stands ? "stands" : "";
  element("backlog-hint").hidden = !stands;
}

function showSaving(saving) {
  const line = element("saving");
  line.dataset.state = saving.paused ? "paused" : saving.on ? "on" : "off";
  line.textContent = saving.paused
    ? `Saving faces is paused: ${saving.paused}`
    : saving.on ? "Faces are being saved, about one a second" : "Saving faces is off";
}
