// The line of figures at the foot of the page, and whether faces are being saved.

const element = (id) => document.getElementById(id);

/** Show the figures of the gateway and of the chosen source. */
export function showFigures(stats, source) {
  const own = stats.sources[source];
  element("workers").textContent = stats.workers;
  element("age").textContent = own?.age_ms == null ? "–" : `${own.age_ms} ms`;
  element("readings").textContent = own ? `${own.readings_per_s.toFixed(1)} /s` : "–";
  element("skipped").textContent = own ? own.skipped : "–";
  element("model").textContent = stats.models.join(", ") || "–";
  showSaving(stats.saving);
}

function showSaving(saving) {
  const line = element("saving");
  line.dataset.state = saving.paused ? "paused" : saving.on ? "on" : "off";
  line.textContent = saving.paused
    ? `Saving faces is paused: ${saving.paused}`
    : saving.on ? "Faces are being saved, about one a second" : "Saving faces is off";
}
