// The dashboard: what comes over the connection, put where it belongs.

import { Analyze } from "./analyze/view.js";
import { ask } from "./shared/api.js";
import { setClock } from "./shared/clock.js";
import { element } from "./shared/dom.js";
import { Emotii } from "./emotii.js";
import { Erase } from "./settings/erasure.js";
import { Gallery } from "./faces/gallery.js";
import { History } from "./history/view.js";
import { Live } from "./live/view.js";
import { showPipeline } from "./settings/pipeline.js";
import { Router } from "./shared/router.js";
import { lookForSession, showSession } from "./shared/session.js";
import { Sources } from "./settings/sources.js";
import { Switches } from "./settings/runtime-settings.js";

const live = new Live(element("tiles"), element("no-sources"));
const switches = new Switches(element("saving"), element("blur"), element("settings-line"));
const known = {
  names: () => [...live.states.keys()],
  labels: async () => (await ask("/api/v1/emotions").catch(() => ({ emotions: [] }))).emotions,
};
const history = new History(known);
const gallery = new Gallery(known);
const analyze = new Analyze();
const sources = new Sources();
const erase = new Erase(known);
const router = new Router([...document.querySelectorAll("main > section")], [...document.querySelectorAll(".tabs a")]);
let stats = null;

const emotii = new Emotii("/ws/emotions");
emotii.addEventListener("hello", ({ detail: hello }) => {
  live.replace(hello.sources, hello.episodes);
  take(hello.stats);
});
emotii.addEventListener("close", () => {
  showConnection();
  lookForSession();
});
emotii.addEventListener("heartbeat", ({ detail }) => setClock(detail.now_ms));
emotii.addEventListener("reading", ({ detail }) => live.read(detail));
emotii.addEventListener("episode", ({ detail }) => live.follow(detail));
emotii.addEventListener("state", ({ detail }) => {
  live.update(detail);
  showConnection();
});
emotii.addEventListener("gone", ({ detail }) => {
  live.remove(detail.source);
  showConnection();
});
emotii.addEventListener("stats", ({ detail }) => take(detail));

function take(event) {
  stats = event;
  setClock(stats.now_ms);
  showPipeline(stats);
  live.count(stats);
  switches.show(stats);
  if (router.current === "settings") sources.look();
  showConnection();
}

function showConnection() {
  const [state, text, stale] = judgement();
  const pill = element("connection");
  if (pill.textContent !== text) pill.textContent = text; // a screen reader would say it again
  pill.dataset.state = state;
  live.judge(stale);
}

/** Whether faces of a camera wait for a worker longer than a reading may be old. */
function isLate(figures) {
  return figures?.waiting_ms > 500;
}

/** The pill's state and words, and why nothing that is shown is fresh. */
function judgement() {
  if (!emotii.isOpen) return ["reconnecting", "reconnecting", "The gateway cannot be reached; trying again"];
  if (stats && !stats.redis) return ["stale", "stale: Redis cannot be reached", "Redis cannot be reached"];
  if (stats && !stats.workers) return ["stale", "stale: no worker is running", ""];
  const states = [...live.states.values()];
  if (!states.length) return ["stale", "stale: no source yet", ""];
  const late = states.filter(({ source, source_kind }) => source_kind === "camera" && isLate(stats?.sources[source]));
  if (late.length) return ["stale", `stale: no worker takes the faces of ${late[0].source}`, ""];
  const away = states.filter(({ state }) => state !== "ONLINE");
  if (!away.length) return ["connected", "connected", ""];
  const [first] = away;
  if (away.length > 1) return ["stale", `stale: ${away.length} of ${states.length} sources are away`, ""];
  return ["stale", `stale: ${first.source} is ${first.state.toLowerCase()}`, ""];
}

router.when("history", () => history.enter());
router.when("faces", () => gallery.enter());
router.when("analyze", () => analyze.jobs.enter(), () => analyze.jobs.leave());
router.when("settings", () => {
  sources.look();
  erase.enter();
});
router.show();
showSession();
