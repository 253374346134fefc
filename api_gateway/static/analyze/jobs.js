// The list of uploaded videos: the progress of each job, then its timeline and output files.

import { request } from "../shared/api.js";
import { formatTime } from "../shared/clock.js";
import { confirmAction } from "../shared/confirm-dialog.js";
import { createElement, setText } from "../shared/dom.js";
import { withStatus } from "../shared/status-message.js";
import { RecordingTimeline } from "./recording-timeline.js";

const RUNNING = ["queued", "running"];
const POLL_MS = 1000;

export class JobList {
  /** @param {HTMLElement} list */
  constructor(list) {
    Object.assign(this, { list, items: new Map(), isActive: false });
  }

  /** Start polling; called when the section is shown. */
  activate() {
    this.isActive = true;
    this.refresh();
  }

  deactivate() {
    this.isActive = false;
    clearTimeout(this.timer);
  }

  async refresh() {
    clearTimeout(this.timer);
    const response = await request("/api/v1/jobs").catch(() => null); // the connection status already shows an outage
    if (response) this.show(response.jobs);
    if (this.isActive) this.timer = setTimeout(() => this.refresh(), POLL_MS);
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
        const item = new JobCard(job, () => this.remove(job.id, item));
        this.items.set(job.id, item);
        this.list.prepend(item.root);
      }
      this.items.get(job.id).show(job);
    }
  }

  async remove(id, item) {
    if (!(await confirmAction(item.removal))) return;
    await withStatus(item.error, () => request(`/api/v1/jobs/${id}`, { method: "DELETE" }));
    await this.refresh();
  }
}

class JobCard {
  constructor(job, onRemove) {
    this.state = createElement("p", { class: "small" });
    this.progress = createElement("progress", { max: "1", value: "0", "aria-label": `Progress of ${job.name}` });
    this.files = createElement("p", { class: "files" });
    this.button = createElement("button", { type: "button", class: "quiet for-operators", onclick: onRemove });
    this.error = createElement("p", { class: "status", role: "status", hidden: true });
    this.timeline = createElement("div", { class: "recording" });
    this.root = createElement("li", { class: "card job", "data-job": job.id },
      createElement("div", { class: "job-head" }, createElement("div", {}, createElement("h3", { text: job.name }), this.state), this.button),
      this.error, this.progress, this.files, this.timeline);
  }

  show(job) {
    const isRunning = RUNNING.includes(job.state);
    const counts = job.frames ? ` · ${job.frames} frames, ${job.faces} faces` : "";
    setText(this.state, `${job.state}${job.reason && `: ${job.reason}`}${counts} · ${formatTime(job.created_ms)}`);
    this.root.dataset.state = job.state;
    this.progress.hidden = !isRunning;
    if (job.progress > 0 || job.state === "queued") this.progress.value = job.progress;
    else this.progress.removeAttribute("value"); // indeterminate: the length of the video is unknown
    setText(this.button, isRunning ? "Cancel" : "Delete");
    this.button.setAttribute("aria-label", `${isRunning ? "Cancel" : "Delete"} ${job.name}`);
    this.removal = {
      title: isRunning ? `Cancel the analysis of ${job.name}?` : `Delete ${job.name}?`,
      text: `This deletes the uploaded video of ${formatTime(job.created_ms)}${isRunning ? "" : ", if it is still there, and its results"}. You cannot undo it.`,
      action: isRunning ? "Cancel the analysis" : "Delete",
    };
    if (job.state === "done" && !this.hasOutputs) this.showOutputs(job);
  }

  showOutputs(job) {
    this.hasOutputs = true;
    const path = `/api/v1/jobs/${job.id}`;
    const files = job.files.filter((name) => name !== "timeline.json");
    this.files.replaceChildren(...files.map((name) => createElement("a", { class: "button quiet", href: `${path}/${name}`, text: name })));
    new RecordingTimeline(this.timeline).load(`${path}/timeline.json`);
  }
}
