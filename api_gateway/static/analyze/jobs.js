// Videos that were handed in: how far they are, and when they are done their timeline and files.

import { ask } from "../shared/api.js";
import { clockTime } from "../shared/clock.js";
import { make, write } from "../shared/dom.js";
import { Recording } from "./recording-timeline.js";
import { saying } from "../shared/status-message.js";

const RUNNING = ["queued", "running"];
const LOOK_MS = 1000;

export class Jobs {
  /** @param {HTMLElement} list @param {HTMLElement} line for what goes wrong */
  constructor(list, line) {
    Object.assign(this, { list, line, items: new Map(), here: false });
  }

  /** The section is shown: look again and again while something runs. */
  enter() {
    this.here = true;
    this.look();
  }

  leave() {
    this.here = false;
    clearTimeout(this.timer);
  }

  async look() {
    clearTimeout(this.timer);
    const known = await ask("/api/v1/jobs").catch(() => null); // the page says already that it cannot be reached
    if (known) this.show(known.jobs);
    if (this.here) this.timer = setTimeout(() => this.look(), LOOK_MS);
  }

  show(jobs) {
    const ids = new Set(jobs.map(({ id }) => id));
    for (const [id, item] of this.items) {
      if (!ids.has(id)) {
        item.root.remove();
        this.items.delete(id);
      }
    }
    for (const job of [...jobs].reverse()) {
      if (!this.items.has(job.id)) {
        const item = new Job(job, () => this.remove(job.id));
        this.items.set(job.id, item);
        this.list.prepend(item.root);
      }
      this.items.get(job.id).show(job);
    }
  }

  async remove(id) {
    await saying(this.line, () => ask(`/api/v1/jobs/${id}`, { method: "DELETE" }));
    await this.look();
  }
}

class Job {
  constructor(job, onRemove) {
    this.state = make("p", { class: "small" });
    this.bar = make("progress", { max: "1", value: "0", "aria-label": `Progress of ${job.name}` });
    this.files = make("p", { class: "files" });
    this.button = make("button", { type: "button", class: "quiet", onclick: onRemove });
    this.timeline = make("div", { class: "recording" });
    this.root = make("li", { class: "card job", "data-job": job.id },
      make("div", { class: "job-head" }, make("div", {}, make("h3", { text: job.name }), this.state), this.button),
      this.bar, this.files, this.timeline);
  }

  show(job) {
    const running = RUNNING.includes(job.state);
    const counted = job.frames ? ` · ${job.frames} frames, ${job.faces} faces` : "";
    write(this.state, `${job.state}${job.reason && `: ${job.reason}`}${counted} · ${clockTime(job.created_ms)}`);
    this.root.dataset.state = job.state;
    this.bar.hidden = !running;
    if (job.progress > 0 || job.state === "queued") this.bar.value = job.progress;
    else this.bar.removeAttribute("value"); // nobody knows how long it is
    write(this.button, running ? "Cancel" : "Delete");
    this.button.setAttribute("aria-label", `${running ? "Cancel" : "Delete"} ${job.name}`);
    if (job.state === "done" && !this.done) this.finish(job);
  }

  finish(job) {
    this.done = true;
    const path = `/api/v1/jobs/${job.id}`;
    const shown = job.files.filter((name) => name !== "timeline.json");
    this.files.replaceChildren(...shown.map((name) => make("a", { class: "button quiet", href: `${path}/${name}`, text: name })));
    new Recording(this.timeline).load(`${path}/timeline.json`);
  }
}
