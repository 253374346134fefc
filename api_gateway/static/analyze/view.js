// The section Analyze: a picture is looked at at once, a video becomes a job.

import { ask } from "../shared/api.js";
import { element } from "../shared/dom.js";
import { Jobs } from "./jobs.js";
import { showPicture } from "./picture-result.js";
import { say, saying } from "../shared/status-message.js";

const MOVING = /^video\/|^image\/gif$/;
const NAMED = /\.(mp4|m4v|mov|mkv|webm|avi|gif|mpe?g|ts)$/i; // where the browser knows no type

export class Analyze {
  constructor() {
    this.line = element("analyze-line");
    this.result = element("picture-result");
    this.jobs = new Jobs(element("jobs"), this.line);
    const drop = element("drop");
    element("file").addEventListener("change", ({ target }) => {
      this.take([...target.files]);
      target.value = ""; // the same file may be chosen again
    });
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.dataset.over = "true";
    });
    drop.addEventListener("dragleave", () => delete drop.dataset.over);
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      delete drop.dataset.over;
      this.take([...event.dataTransfer.files]);
    });
  }

  /** Look at these files, one after the other. */
  async take(files) {
    for (const file of files) await (MOVING.test(file.type) || NAMED.test(file.name) ? this.takeVideo(file) : this.takePicture(file));
  }

  async takePicture(file) {
    say(this.line, `Looking at ${file.name} …`);
    const answer = await this.hand("/api/v1/predict", "picture", file);
    if (answer) await saying(this.line, () => showPicture(this.result, file, answer));
  }

  async takeVideo(file) {
    say(this.line, `Handing in ${file.name} …`);
    if (await this.hand("/api/v1/jobs", "video", file)) await this.jobs.look();
  }

  hand(path, field, file) {
    const body = new FormData();
    body.append(field, file, file.name);
    return saying(this.line, () => ask(path, { method: "POST", body }));
  }
}
