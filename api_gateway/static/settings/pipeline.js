// Workers, models and backlog, and when another worker would help.

import { element, make, write } from "../shared/dom.js";

const STANDS_AFTER = 8; // so many seconds in a row; one crop that waits for its batch is no backlog

const standing = new Map();

/** @param {object} stats the event */
export function showPipeline(stats) {
  const sources = Object.entries(stats.sources);
  const waiting = sources.reduce((sum, [, figures]) => sum + figures.backlog, 0);
  write(element("workers"), `${stats.workers}`);
  write(element("backlog"), `${waiting}`);
  write(element("model"), stats.models.join(", ") || "–");
  showHint(sources);
  element("pipeline-rows").replaceChildren(...sources.map(row));
  const skipped = sources.reduce((sum, [, figures]) => sum + figures.skipped, 0);
  write(element("pipeline-words"), `${count(stats.workers, "worker")}, ${stats.models.join(", ") || "no model"}. `
    + `${count(skipped, "frame")} skipped since the capture began: a live source passes over frames rather than showing old ones.`);
}

function showHint(sources) {
  for (const [name, { backlog }] of sources) standing.set(name, backlog > 0 ? (standing.get(name) ?? 0) + 1 : 0);
  const late = sources.map(([name]) => name).filter((name) => standing.get(name) >= STANDS_AFTER);
  element("backlog").dataset.state = late.length ? "stands" : "";
  write(element("backlog-hint"), late.length
    ? `Crops of ${late.join(", ")} have been waiting for some seconds: another worker would help (EMOTII_WORKERS, or more inference services).`
    : "");
}

function row([name, figures]) {
  const cell = (text) => make("td", { class: "number", text });
  const age = figures.age_ms === null ? "–" : `${figures.age_ms} ms`;
  return make("tr", {}, make("td", { text: name }), cell(figures.fps.toFixed(1)), cell(figures.readings_per_s.toFixed(1)),
    cell(figures.skipped), cell(figures.backlog), cell(age));
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
