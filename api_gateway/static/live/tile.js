// All that is shown of one source: video, faces, timeline and figures.

import { address, ask } from "../shared/api.js";
import { copyOf, write } from "../shared/dom.js";
import { Faces } from "../faces/face-cards.js";
import { Screen } from "./video-player.js";
import { Timeline } from "../timeline/timeline.js";

export class Tile {
  /** @param {string} source its name */
  constructor(source) {
    const parts = copyOf("tile");
    Object.assign(this, { source, parts, root: parts.root });
    this.root.dataset.source = source;
    parts.name.textContent = source;
    parts.name.id = `tile-${source}`;
    this.root.setAttribute("aria-labelledby", parts.name.id);
    parts.save.addEventListener("click", () => this.save());
    this.screen = new Screen(source, parts);
    this.faces = new Faces(parts.faces, parts.nobody);
    this.timeline = new Timeline(parts);
  }

  /** The source's state, and why the whole page may be stale; empty if it is not. */
  tell(state, stale) {
    const online = state.state === "ONLINE";
    const reason = online ? "" : state.reason;
    this.parts.state.dataset.state = state.state;
    write(this.parts.state, [state.state.toLowerCase(), reason].filter(Boolean).join(" · "));
    this.parts.camera.hidden = !(online && state.source_kind === "camera");
    if (state.width) this.parts.screen.style.aspectRatio = `${state.width} / ${state.height}`;
    this.screen.tell(stale || (online ? "" : `${state.state.toLowerCase()}${reason && `: ${reason}`}`));
    this.parts.save.disabled = !online;
    if (stale) this.faces.clear();
  }

  read(reading) {
    this.faces.show(reading);
    this.timeline.read(reading);
  }

  /** @param {object} figures of `stats.sources` */
  count({ age_ms, stages, readings_per_s, fps, skipped }) {
    const { parts } = this;
    write(parts.age, age_ms === null ? "–" : `${age_ms} ms`);
    write(parts.stages, stages
      ? `capture ${stages.detect_ms} · inference ${stages.infer_ms} · delivery ${stages.deliver_ms}` : "");
    write(parts.readings, `${readings_per_s.toFixed(1)} /s`);
    write(parts.fps, `${fps.toFixed(1)} /s`);
    write(parts.skipped, `${skipped}`);
  }

  /** Some times a second. */
  draw() {
    this.faces.forget();
    this.screen.judge();
    this.timeline.draw();
  }

  async save() {
    const { save, line } = this.parts;
    save.disabled = true;
    try {
      const { saved } = await ask(address("/save_current", { source: this.source }), { method: "POST" });
      write(line, `Saved ${saved.join(", ")}`);
    } catch (error) {
      write(line, error.message);
    } finally {
      save.disabled = false;
    }
  }

  close() {
    this.screen.close();
    this.root.remove();
  }
}
