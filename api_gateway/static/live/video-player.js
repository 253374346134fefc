// The picture of one source: the newest frame, the boxes of its faces, and a veil of words when it does not move.

import { Boxes } from "../faces/bounding-boxes.js";
import { write } from "../shared/dom.js";
import { Feed } from "./video-stream.js";

const STANDS_MS = 3000;

export class Screen {
  /** @param {string} source @param {{screen, canvas, boxes, veil}} parts of a tile */
  constructor(source, { screen, canvas, boxes, veil }) {
    this.screen = screen;
    this.canvas = canvas;
    this.veil = veil;
    this.boxes = new Boxes(boxes);
    this.drawn = performance.now();
    this.feed = new Feed(source, (picture, frame) => this.draw(picture, frame));
    this.state = null;
    this.inView = false;
    canvas.setAttribute("aria-label", `Live video of ${source}`);
    this.watcher = new IntersectionObserver(([entry]) => {
      this.inView = entry.isIntersecting;
      this.settle();
    });
    this.watcher.observe(screen);
    this.hidden = () => this.settle();
    document.addEventListener("visibilitychange", this.hidden);
  }

  /** Nobody is shown what nobody sees; the capture need not encode it. */
  settle() {
    if (this.inView && !document.hidden) this.feed.start(this.screen.clientWidth * devicePixelRatio);
    else this.feed.stop();
  }

  draw(picture, frame) {
    if (!frame) return; // it only says why there is no video; so does the veil
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      this.canvas.width = picture.width;
      this.canvas.height = picture.height;
      this.screen.style.aspectRatio = `${picture.width} / ${picture.height}`;
    }
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    this.boxes.show(frame);
    this.drawn = performance.now();
    this.canvas.dataset.frame = frame.frame;
    this.judge();
  }

  /** The source is in another state, or it is not known: `words` say which; empty if all is well. */
  tell(words) {
    this.words = words;
    this.judge();
  }

  /** A picture that stands still must not look live. */
  judge() {
    const stands = performance.now() - this.drawn;
    const still = this.inView && stands > STANDS_MS ? `No new picture for ${Math.round(stands / 1000)} s` : "";
    const words = this.words || still;
    this.screen.toggleAttribute("data-stale", Boolean(words));
    write(this.veil, words);
  }

  restart() {
    this.feed.restart();
  }

  close() {
    this.feed.stop();
    this.watcher.disconnect();
    document.removeEventListener("visibilitychange", this.hidden);
  }
}
