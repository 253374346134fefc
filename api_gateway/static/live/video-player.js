// The video of one source: the newest frame, the bounding boxes of its faces, and a message when the video is stale.

import { BoundingBoxes } from "../faces/bounding-boxes.js";
import { setText } from "../shared/dom.js";

const STALE_MS = 3000;

export class VideoPlayer {
  /** @param {string} source @param {VideoFeed} feed @param {{screen, picture, canvas, boxes, message}} parts of a tile */
  constructor(source, feed, { screen, picture, canvas, boxes, message }) {
    this.source = source;
    this.feed = feed;
    this.screen = screen;
    this.picture = picture;
    this.canvas = canvas;
    this.message = message;
    this.boxes = new BoundingBoxes(boxes);
    this.lastFrameAt = performance.now();
    this.problem = "";
    this.shownFaces = 0;
    this.isInView = false;
    canvas.setAttribute("aria-label", `Live video of ${source}`);
    this.observer = new IntersectionObserver(([entry]) => {
      this.isInView = entry.isIntersecting;
      this.updateFeed();
    });
    this.observer.observe(screen);
  }

  /** Watch the video only while it is in view, so that the gateway need not send it otherwise. */
  updateFeed() {
    const { source, screen, feed } = this;
    if (this.isInView) feed.watch(source, screen.clientWidth * devicePixelRatio, (picture, frame) => this.draw(picture, frame));
    else feed.unwatch(source);
  }

  /** Reserve the place of the video when its size is first known; a later video of another shape is shown inside that place. */
  reserve({ width, height }) {
    if (this.isReserved || !width) return;
    this.isReserved = true;
    this.screen.style.aspectRatio = `${width} / ${height}`;
    this.picture.style.setProperty("--ratio", width / height);
  }

  draw(picture, frame) {
    if (!frame) return; // a placeholder; the message gives the same reason
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      this.canvas.width = picture.width;
      this.canvas.height = picture.height;
      this.reserve(picture);
      this.picture.style.setProperty("--ratio", picture.width / picture.height);
    }
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    this.boxes.show(frame);
    this.shownFaces = frame.faces.length;
    this.lastFrameAt = performance.now();
    this.canvas.dataset.frame = frame.frame;
    this.updateMessage();
  }

  /** Set why the source shows no current video; empty if it does. */
  setProblem(problem) {
    this.problem = problem;
    this.updateMessage();
  }

  /** Mark the video as stale if there is a problem or no new frame has arrived. */
  updateMessage() {
    const frameAge = performance.now() - this.lastFrameAt;
    const stale = this.isInView && frameAge > STALE_MS ? `No new frame for ${Math.round(frameAge / 1000)} s` : "";
    const message = this.problem || stale;
    this.screen.toggleAttribute("data-stale", Boolean(message));
    setText(this.message, message);
  }

  get isStale() {
    return this.screen.hasAttribute("data-stale");
  }

  /** The number of faces with a bounding box. */
  get faceCount() {
    return this.isStale ? 0 : this.shownFaces;
  }

  close() {
    this.feed.unwatch(this.source);
    this.observer.disconnect();
  }
}
