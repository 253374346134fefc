// The dashboard: what comes over the connection, put where it belongs.

import { Connection } from "./connection.js";
import { Faces } from "./faces.js";
import { showFigures } from "./figures.js";
import { Sources } from "./sources.js";
import { Video } from "./video.js";

const element = (id) => document.getElementById(id);

const faces = new Faces(element("faces"), element("no-faces"));
const video = new Video(element("video"));
const places = {
  picker: element("picker"),
  select: element("source"),
  line: element("source-state"),
  screen: element("screen"),
};
const sources = new Sources(places, (name) => {
  faces.clear();
  video.show(name);
});
let open = false;
let stats = null;

new Connection({
  onHello(hello) {
    sources.replace(hello.sources);
    video.restart();
    take(hello.stats);
  },
  onEvents(events) {
    events.forEach(take);
  },
  onOpenChange(isOpen) {
    open = isOpen;
    if (!open) faces.clear();
    showConnection();
  },
});

function take(event) {
  if (event.kind === "reading") {
    if (event.source === sources.chosen) faces.show(event);
  } else if (event.kind === "state") {
    sources.update(event);
    showConnection();
  } else if (event.kind === "gone") {
    sources.remove(event.source);
    showConnection();
  } else if (event.kind === "stats") {
    stats = event;
    showFigures(event, sources.chosen);
    showConnection();
  }
}

function showConnection() {
  const [state, text] = judgement();
  const pill = element("connection");
  if (pill.textContent !== text) pill.textContent = text; // a screen reader would say it again
  pill.dataset.state = state;
  element("screen").dataset.state = state; // a picture that stands still must not look live
}

function judgement() {
  if (!open) return ["reconnecting", "reconnecting"];
  if (stats && !stats.redis) return ["stale", "stale: Redis cannot be reached"];
  if (stats && !stats.workers) return ["stale", "stale: no worker is running"];
  if (!sources.current) return ["stale", "stale: no source yet"];
  if (sources.current.state !== "ONLINE") return ["stale", `stale: ${sources.current.source} is ${sources.current.state.toLowerCase()}`];
  return ["connected", "connected"];
}

element("save").addEventListener("click", async (click) => {
  const button = click.currentTarget;
  const line = element("saved");
  button.disabled = true;
  try {
    const query = sources.chosen ? `?source=${encodeURIComponent(sources.chosen)}` : "";
    const answer = await fetch(`/save_current${query}`, { method: "POST" });
    const body = await answer.json();
    line.textContent = answer.ok ? `Saved ${body.saved.join(", ")}` : body.error.message;
  } catch {
    line.textContent = "The gateway cannot be reached";
  } finally {
    button.disabled = false;
  }
});
