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
import { showStatus } from "./shared/status-message.js";

const live = new LiveView(byId("tiles"), byId("no-sources"));
const settings = new RuntimeSettings(byId("saving"), byId("blur"), byId("settings-status"));
const choices = { // the options of filters and forms
  sources: () => live.names(),
  emotions: async () => (await request("/api/v1/emotions").catch(() => ({ emotions: [] }))).emotions,
};
const history = new HistoryView(choices);
const gallery = new Gallery(choices);
const analyze = new AnalyzeView();
const sources = new SourceList();
const erasure = new ErasureForm();
const router = new Router([...document.querySelectorAll("main > section")], [...document.querySelectorAll(".tabs a")]);
let stats = null;

const emotii = new Emotii("/ws/emotions");
emotii.addEventListener("hello", ({ detail: hello }) => {
  live.reset(hello.sources, hello.episodes);
  showStats(hello.stats);
  offerSources();
  reserveBars();
  showSession();
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
  offerSources();
  showConnection();
});
emotii.addEventListener("gone", ({ detail }) => {
  live.removeSource(detail.source);
  offerSources();
  showConnection();
});
emotii.addEventListener("stats", ({ detail }) => showStats(detail));

/** Offer the sources of now in every form that asks for one. */
function offerSources() {
  erasure.setSources(choices.sources());
  history.setSources(choices.sources());
}

/** Reserve the height of a face's card, which has a bar for each label of the model. */
async function reserveBars() {
  const { length } = await choices.emotions();
  if (length) document.documentElement.style.setProperty("--labels", length);
}

function showStats(event) {
  stats = event;
  setServerTime(stats.now_ms);
  showPipeline(stats);
  live.showMetrics(stats);
  settings.update(stats);
  const disks = stats.disks.length ? `Live results continue, but: ${stats.disks.join("; ")}.` : "";
  if (byId("disk-status").textContent !== disks) showStatus(byId("disk-status"), disks, true);
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
  const delayed = statuses.filter(({ source }) => live.isDelayed(source));
  if (delayed.length === statuses.length) return stale(`no worker reads faces of ${delayed[0].source}`);
  const problems = statuses.map((status) => [status, problemOf(status)]).filter(([, problem]) => problem);
  if (!problems.length) return { state: "connected", text: "connected" };
  const [[status, problem]] = problems;
  const text = problems.length > 1 ? `${problems.length} of ${statuses.length} sources have problems` : `${status.source} ${problem}`;
  return statuses.every(({ state }) => state !== "ONLINE") ? stale(text) : { state: "degraded", text };
}

/** What is wrong with one source, for example "is offline"; empty if nothing is. */
function problemOf({ source, state }) {
  if (state !== "ONLINE") return `is ${state.toLowerCase()}`;
  return live.warningOf(source) ? "is too slow" : "";
}

router.register("history", () => history.activate());
router.register("faces", () => gallery.activate());
router.register("analyze", () => analyze.jobs.activate(), () => analyze.jobs.deactivate());
router.register("settings", () => sources.refresh());
router.navigate();
showSession();
