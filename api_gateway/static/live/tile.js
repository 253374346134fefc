// The tile of one source: video, faces, timeline and metrics.

import { FaceCards } from "../faces/face-cards.js";
import { request, withQuery } from "../shared/api.js";
import { cloneTemplate, setText } from "../shared/dom.js";
import { Timeline } from "../timeline/timeline.js";
import { VideoPlayer } from "./video-player.js";

/** A space that keeps the line, so that no tile moves. */
const NO_STAGES = "\u00a0";

export class Tile {
  /** @param {string} source its name @param {VideoFeed} feed the videos of all tiles */
  constructor(source, feed) {
    const parts = cloneTemplate("tile");
    Object.assign(this, { source, parts, root: parts.root });
    this.root.dataset.source = source;
    parts.name.textContent = source;
    parts.name.id = `tile-${source}`;
    this.root.setAttribute("aria-labelledby", parts.name.id);
    parts.save.addEventListener("click", () => this.saveFaces());
    parts.faceArea.setAttribute("aria-label", `Faces of ${source}`);
    parts.lanes.setAttribute("aria-label", `Last three minutes of ${source}`);
    this.video = new VideoPlayer(source, feed, parts);
    this.faces = new FaceCards(parts.faces, parts.noFaces);
    this.timeline = new Timeline(parts);
  }

  /**
   * Show the state of the source.
   * @param {object} status the event `state`
   * @param {string} warning why its results are late or missing although it is online; empty if they are not
   * @param {string} outage why no source is live; empty if there is no outage
   */
  showState(status, warning, outage) {
    const { state, reason } = status;
    this.isLive = state === "ONLINE" && !outage;
    const isSlow = this.isLive && warning;
    this.parts.state.dataset.state = isSlow ? "SLOW" : state;
    setText(this.parts.state, isSlow ? warning : state.toLowerCase());
    this.parts.cameraOn.hidden = state !== "ONLINE" || status.recording;
    this.video.reserve(status);
    this.video.setProblem(outage || (state === "ONLINE" ? "" : [state.toLowerCase(), reason].filter(Boolean).join(": ")));
    this.parts.save.disabled = state !== "ONLINE";
    if (outage) this.faces.clear();
  }

  addReading(reading) {
    this.faces.show(reading);
    this.timeline.addReading(reading);
  }

  /** @param {object} metrics an entry of `stats.sources` */
  showMetrics({ age_ms, stages, readings_per_s, fps, skipped }) {
    const { parts } = this;
    setText(parts.latency, age_ms === null ? "–" : `${age_ms} ms`);
    setText(parts.stages, stages
      ? `capture ${stages.detect_ms} · inference ${stages.infer_ms} · delivery ${stages.deliver_ms}` : NO_STAGES);
    setText(parts.readings, `${readings_per_s.toFixed(1)} /s`);
    setText(parts.fps, `${fps.toFixed(1)} /s`);
    setText(parts.skipped, `${skipped}`);
  }

  /** Update what changes with time; call it several times a second. */
  draw() {
    this.faces.removeExpired();
    this.faces.setPlaceholder(this.emptyText());
    this.video.updateMessage();
    this.timeline.draw();
  }

  /** Why there is no card of a face. */
  emptyText() {
    if (!this.isLive || this.video.isStale) return "No live video";
    const { faceCount } = this.video;
    if (!faceCount) return "No face in view";
    return `${faceCount} ${faceCount === 1 ? "face" : "faces"} in view, no result yet`;
  }

  async saveFaces() {
    const { save, status } = this.parts;
    save.disabled = true;
    try {
      const { saved } = await request(withQuery("/save_current", { source: this.source }), { method: "POST" });
      setText(status, `Saved ${saved.join(", ")}`);
    } catch (error) {
      setText(status, error.message);
    } finally {
      save.disabled = false;
    }
  }

  close() {
    this.video.close();
    this.root.remove();
  }
}
