// The video of one source, for ever: each picture with what the gateway says of its faces; it starts again by itself.

import { address } from "../shared/api.js";
import { parts } from "./multipart.js";

const AGAIN_MS = 1000;
const SILENT_MS = 8000; // the gateway sends a picture a second even where there is no video
const WIDTHS = [320, 480, 640, 960, 1280, 1920]; // few, so that viewers share what is encoded

export class Feed {
  /**
   * @param {string} source its name
   * @param {(picture: ImageBitmap, frame: object | null) => void} onPicture `frame` as in the part's header X-Frame:
   *   null for a picture that only says why there is no video
   */
  constructor(source, onPicture) {
    this.source = source;
    this.onPicture = onPicture;
    this.run = null;
    this.width = null;
  }

  /** Show the video at about so many pixels of width. */
  start(pixels) {
    const width = WIDTHS.find((one) => one >= pixels) ?? WIDTHS.at(-1);
    if (this.run && width === this.width) return;
    this.stop();
    this.width = width;
    this.run = new AbortController();
    this.keep(this.run);
  }

  stop() {
    this.run?.abort();
    this.run = null;
  }

  /** The gateway is back, or the connection may be dead: start anew. */
  restart() {
    if (!this.run) return;
    this.stop();
    this.start(this.width);
  }

  async keep(run) {
    while (run === this.run) {
      const attempt = new AbortController();
      run.signal.addEventListener("abort", () => attempt.abort());
      await this.watch(run, attempt).catch(() => {}); // whatever ended it, the next attempt shows
      attempt.abort();
      if (run === this.run) await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  async watch(run, attempt) {
    let silence = setTimeout(() => attempt.abort(), SILENT_MS);
    const path = address("/video_feed", { source: this.source, width: this.width, labels: "none" });
    const answer = await fetch(path, { signal: attempt.signal });
    if (!answer.ok) return;
    for await (const { headers, bytes } of parts(answer.body)) {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENT_MS);
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      if (run === this.run) this.onPicture(picture, JSON.parse(headers.get("x-frame") ?? "null"));
      picture.close();
    }
  }
}
