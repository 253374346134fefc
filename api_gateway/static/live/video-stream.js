// The video stream of one source: frames with the data of their faces. It reconnects by itself.

import { withQuery } from "../shared/api.js";
import { readParts } from "./multipart.js";

const RETRY_MS = 1000;
const TIMEOUT_MS = 8000; // the gateway sends one picture a second even if there is no video
const WIDTHS = [320, 480, 640, 960, 1280, 1920]; // only a few, so that viewers share encoded frames

export class VideoStream {
  /**
   * @param {string} source its name
   * @param {(picture: ImageBitmap, frame: object | null) => void} onFrame `frame` as in the part's header X-Frame:
   *   null for a placeholder that states why there is no video
   */
  constructor(source, onFrame) {
    this.source = source;
    this.onFrame = onFrame;
    this.run = null;
    this.width = null;
  }

  /** Stream the video at about this width. */
  start(pixels) {
    const width = WIDTHS.find((one) => one >= pixels) ?? WIDTHS.at(-1);
    if (this.run && width === this.width) return;
    this.stop();
    this.width = width;
    this.run = new AbortController();
    this.stayConnected(this.run);
  }

  stop() {
    this.run?.abort();
    this.run = null;
  }

  /** Reconnect, because the current connection may be dead. */
  restart() {
    if (!this.run) return;
    this.stop();
    this.start(this.width);
  }

  async stayConnected(run) {
    while (run === this.run) {
      const attempt = new AbortController();
      run.signal.addEventListener("abort", () => attempt.abort());
      await this.readFrames(run, attempt).catch(() => {}); // the next attempt follows, whatever the error was
      attempt.abort();
      if (run === this.run) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async readFrames(run, attempt) {
    let timeout = setTimeout(() => attempt.abort(), TIMEOUT_MS);
    const path = withQuery("/video_feed", { source: this.source, width: this.width, labels: "none" });
    const response = await fetch(path, { signal: attempt.signal });
    if (!response.ok) return;
    for await (const { headers, bytes } of readParts(response.body)) {
      clearTimeout(timeout);
      timeout = setTimeout(() => attempt.abort(), TIMEOUT_MS);
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      if (run === this.run) this.onFrame(picture, JSON.parse(headers.get("x-frame") ?? "null"));
      picture.close();
    }
  }
}
