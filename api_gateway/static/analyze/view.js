// The section Analyze: uploads pictures for immediate prediction and videos as jobs.

import { request } from "../shared/api.js";
import { byId } from "../shared/dom.js";
import { showStatus, withStatus } from "../shared/status-message.js";
import { JobList } from "./jobs.js";
import { showPictureResult } from "./picture-result.js";

const VIDEO_TYPE = /^video\/|^image\/gif$/;
const VIDEO_NAME = /\.(mp4|m4v|mov|mkv|webm|avi|gif|mpe?g|ts)$/i; // for files whose type the browser does not know

export class AnalyzeView {
  constructor() {
    this.status = byId("analyze-status");
    this.result = byId("picture-result");
    this.jobs = new JobList(byId("jobs"));
    const dropZone = byId("drop-zone");
    byId("file").addEventListener("change", ({ target }) => {
      this.analyze([...target.files]);
      target.value = ""; // so that the same file can be chosen again
    });
    dropZone.addEventListener("dragover", (event) => {
      event.preventDefault();
      dropZone.dataset.over = "true";
    });
    dropZone.addEventListener("dragleave", () => delete dropZone.dataset.over);
    dropZone.addEventListener("drop", (event) => {
      event.preventDefault();
      delete dropZone.dataset.over;
      this.analyze([...event.dataTransfer.files]);
    });
  }

  /** Analyze files one after the other. */
  async analyze(files) {
    const isVideo = (file) => VIDEO_TYPE.test(file.type) || VIDEO_NAME.test(file.name);
    for (const file of files) await (isVideo(file) ? this.submitVideo(file) : this.analyzePicture(file));
  }

  async analyzePicture(file) {
    showStatus(this.status, `Analyzing ${file.name} …`);
    const prediction = await this.upload("/api/v1/predict", "picture", file);
    if (prediction) await withStatus(this.status, () => showPictureResult(this.result, file, prediction));
  }

  async submitVideo(file) {
    showStatus(this.status, `Uploading ${file.name} …`);
    if (await this.upload("/api/v1/jobs", "video", file)) await this.jobs.refresh();
  }

  upload(path, field, file) {
    const body = new FormData();
    body.append(field, file, file.name);
    return withStatus(this.status, () => request(path, { method: "POST", body }));
  }
}
