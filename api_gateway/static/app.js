// The dashboard: passes the events of the WebSocket to the sections of the page.

import { AnalyzeView } from "./analyze/view.js";
import { Emotii } from "./emotii.js";
import { Gallery } from "./faces/gallery.js";
import { HistoryView } from "./history/view.js";
import { LiveView } from "./live/view.js";
import { ErasureForm } from "./settings/erasure.js";
import { showPipeline } from "./settings/pipeline.js";
import { RuntimeSettings } from "./settings/runtime-settings.js";
import { SourceList } from "./settings/sources.js";
import { request } from "./shared/api.js";
import { setServerTime } from "./shared/clock.js";
import { byId } from "./shared/dom.js";
import { Router } from "./shared/router.js";
import { requireSession, showSession } from "./shared/session.js";

const MAX_WAITING_MS = 500; // the deadline for a worker to read a face; later, its readings are stale

const live = new LiveView(byId("tiles"), byId("no-sources"));
const settings = new RuntimeSettings(byId("saving"), byId("blur"), byId("settings-status"));
const choices = { // the options of filters and forms
  sources: () => [...live.sources.keys()],
  emotions: async () => (await request("/api/v1/emotions").catch(() => ({ emotions: [] }))).emotions,
};
const history = new HistoryView(choices);
const gallery = new Gallery(choices);
const analyze = new AnalyzeView();
const sources = new SourceList();
const erasure = new ErasureForm(choices);
const router = new Router([...document.querySelectorAll("main > section")], [...document.querySelectorAll(".tabs a")]);
let stats = null;

const emotii = new Emotii("/ws/emotions");
emotii.addEventListener("hello", ({ detail: hello }) => {
  live.reset(hello.sources, hello.episodes);
  showStats(hello.stats);
});
emotii.addEventListener("close", () => {
  showConnection();
  requireSession();
});
emotii.addEventListener("heartbeat", ({ detail }) => setServerTime(detail.now_ms));
emotii.addEventListener("reading", ({ detail }) => live.addReading(detail));
emotii.addEventListener("episode", ({ detail }) => live.addEpisode(detail));
emotii.addEventListener("state", ({ detail }) => {
  live.updateSource(detail);
  showConnection();
});
emotii.addEventListener("gone", ({ detail }) => {
  live.removeSource(detail.source);
  showConnection();
});
emotii.addEventListener("stats", ({ detail }) => showStats(detail));

function showStats(event) {
  stats = event;
  setServerTime(stats.now_ms);
  showPipeline(stats);
  live.showMetrics(stats);
  settings.update(stats);
  if (router.current === "settings") sources.refresh();
  showConnection();
}

function showConnection() {
  const { state, text, outage = "" } = connectionStatus();
  const pill = byId("connection");
  if (pill.textContent !== text) pill.textContent = text; // screen readers announce every change
  pill.dataset.state = state;
  live.setOutage(outage);
}

/** The state and the text of the connection status, and why no source is live if there is an outage. */
function connectionStatus() {
  const stale = (reason, outage) => ({ state: "stale", text: `stale: ${reason}`, outage });
  if (!emotii.isOpen) {
    return { state: "reconnecting", text: "reconnecting", outage: "The page cannot reach the gateway and is reconnecting" };
  }
  if (stats && !stats.redis) return stale("Redis is unreachable", "The gateway cannot reach Redis");
  if (stats && !stats.workers) return stale("no worker is running");
  const statuses = [...live.sources.values()];
  if (!statuses.length) return stale("no source is connected");
  const delayed = statuses.find(({ source, source_kind }) => source_kind === "camera" && isDelayed(stats?.sources[source]));
  if (delayed) return stale(`no worker reads faces of ${delayed.source}`);
  const notOnline = statuses.filter(({ state }) => state !== "ONLINE");
  if (!notOnline.length) return { state: "connected", text: "connected" };
  const [first] = notOnline;
  if (notOnline.length > 1) return stale(`${notOnline.length} of ${statuses.length} sources are not online`);
  return stale(`${first.source} is ${first.state.toLowerCase()}`);
}

function isDelayed(metrics) {
  return metrics?.waiting_ms > MAX_WAITING_MS;
}

router.register("history", () => history.activate());
router.register("faces", () => gallery.activate());
router.register("analyze", () => analyze.jobs.activate(), () => analyze.jobs.deactivate());
router.register("settings", () => {
  sources.refresh();
  erasure.activate();
});
router.navigate();
showSession();
