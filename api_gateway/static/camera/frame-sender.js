// Sends frames of a video element to /ws/camera/{name}: one for each credit of the gateway, always the newest frame.

const MAX_FRAMES_PER_SECOND = 15;
const MAX_SIDE = 640;
const JPEG_QUALITY = 0.8;
const VIDEO_NOT_READY_MS = 100;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 4000;
const TRANSIENT_ERRORS = ["redis_unavailable", "silent", "too_fast"]; // codes after which reconnecting makes sense

/**
 * Events, each a `CustomEvent`:
 * - `open`: the gateway accepts frames.
 * - `sent`: a frame was sent: `{width, height}`.
 * - `lost`: the connection was lost, with the reason as text; the sender reconnects.
 * - `refused`: the gateway refused the connection, and the sender does not reconnect: `{code, message}`.
 */
export class FrameSender extends EventTarget {
  #url;
  #video;
  #canvas = document.createElement("canvas");
  #socket = null;
  #credits = 0;
  #isSending = false;
  #nextFrameAt = 0;
  #timer = null;
  #retryMs = FIRST_RETRY_MS;
  #wasAccepted = false; // whether the gateway has given the name to this page before
  #isClosed = false;

  /** @param {HTMLVideoElement} video @param {string} name of the source */
  constructor(video, name) {
    super();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#url = `${scheme}://${location.host}/ws/camera/${encodeURIComponent(name)}`;
    this.#video = video;
    this.#connect();
  }

  /** Stop sending. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    let error = null;
    this.#socket = socket;
    this.#credits = 0;
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      const message = JSON.parse(data);
      if (message.error) error = message.error;
      if (message.ready) this.#addCredits(message.ready);
    });
    socket.addEventListener("close", () => socket === this.#socket && this.#handleClose(error));
  }

  #addCredits(credits) {
    if (!this.#wasAccepted || this.#retryMs !== FIRST_RETRY_MS) this.#emit("open");
    this.#wasAccepted = true;
    this.#retryMs = FIRST_RETRY_MS;
    this.#credits += credits;
    this.#sendFrame();
  }

  #handleClose(error) {
    this.#socket = null;
    // After a lost connection, the gateway may keep the name reserved for this page for some seconds.
    const isTransient = !error || TRANSIENT_ERRORS.includes(error.code) || (this.#wasAccepted && error.code === "name_taken");
    if (!isTransient) {
      this.close();
      this.#emit("refused", error);
      return;
    }
    this.#emit("lost", error?.message ?? "the connection to the gateway was lost");
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs * (0.7 + 0.6 * Math.random()));
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 1.7);
  }

  async #sendFrame() {
    if (this.#isSending || !this.#credits || !this.#socket || this.#isClosed) return;
    const isReady = this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    const delay = isReady ? this.#nextFrameAt - performance.now() : VIDEO_NOT_READY_MS;
    if (delay > 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#sendFrame(), delay);
      return;
    }
    this.#isSending = true;
    this.#nextFrameAt = performance.now() + 1000 / MAX_FRAMES_PER_SECOND;
    const socket = this.#socket;
    const jpeg = await this.#encodeFrame();
    this.#isSending = false;
    if (jpeg && socket === this.#socket && socket.readyState === WebSocket.OPEN) {
      this.#credits -= 1;
      socket.send(jpeg);
      this.#emit("sent", { width: this.#canvas.width, height: this.#canvas.height });
    }
    this.#sendFrame();
  }

  #encodeFrame() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, MAX_SIDE / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
