// The state of the pipeline: workers, models and backlog; and a hint when it needs another worker.

import { byId, createElement, setText } from "../shared/dom.js";

const HINT_AFTER = 8; // consecutive stats events with a backlog; a single crop that waits for its batch is normal

const eventsWithBacklog = new Map(); // by source

/** @param {object} stats the event, about once a second */
export function showPipeline(stats) {
  const sources = Object.entries(stats.sources);
  const sumOf = (field) => sources.reduce((sum, [, metrics]) => sum + metrics[field], 0);
  const models = stats.models.join(", ");
  setText(byId("workers"), `${stats.workers}`);
  setText(byId("backlog"), `${sumOf("backlog")}`);
  setText(byId("model"), models || "–");
  showHint(sources);
  byId("pipeline-rows").replaceChildren(...sources.map(createRow));
  setText(byId("pipeline-summary"), `${count(stats.workers, "worker")}, ${models || "no model"}. `
    + `${count(sumOf("skipped"), "frame")} skipped since the capture started: a live source skips frames to keep the latency low.`);
}

function showHint(sources) {
  for (const [name, { backlog }] of sources) eventsWithBacklog.set(name, backlog > 0 ? (eventsWithBacklog.get(name) ?? 0) + 1 : 0);
  const delayed = sources.map(([name]) => name).filter((name) => eventsWithBacklog.get(name) >= HINT_AFTER);
  byId("backlog").dataset.state = delayed.length ? "persistent" : "";
  setText(byId("backlog-hint"), delayed.length
    ? `Face crops of ${delayed.join(", ")} have been waiting for several seconds. Add a worker (EMOTII_WORKERS, or more inference services).`
    : "");
}

function createRow([name, metrics]) {
  const cell = (text) => createElement("td", { class: "number", text });
  const latency = metrics.age_ms === null ? "–" : `${metrics.age_ms} ms`;
  return createElement("tr", {}, createElement("td", { text: name }), cell(metrics.fps.toFixed(1)), cell(metrics.readings_per_s.toFixed(1)),
    cell(metrics.skipped), cell(metrics.backlog), cell(latency));
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
