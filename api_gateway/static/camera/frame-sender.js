// Pictures of a video element to /ws/camera/{name}: only as many as the gateway asks for, and always the newest.

const MOST_PER_SECOND = 15;
const LONGEST_SIDE = 640;
const JPEG_QUALITY = 0.8;
const NOT_YET_MS = 100;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;
const PASSING = ["redis_unavailable", "silent", "too_fast"]; // reasons that pass by themselves

/**
 * Events, each a `CustomEvent`:
 * - `open`: the gateway takes pictures.
 * - `sent`: one was sent: `{width, height}` of it.
 * - `lost`: the connection is gone, with the reason in words, and is tried again.
 * - `refused`: it is not tried again: `{code, message}`.
 */
export class Sender extends EventTarget {
  #url;
  #video;
  #canvas = document.createElement("canvas");
  #socket = null;
  #credits = 0;
  #busy = false;
  #due = 0;
  #timer = null;
  #pause = FIRST_PAUSE_MS;
  #welcome = false; // whether this page has had the name before
  #ended = false;

  /** @param {HTMLVideoElement} video @param {string} name of the source */
  constructor(video, name) {
    super();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#url = `${scheme}://${location.host}/ws/camera/${encodeURIComponent(name)}`;
    this.#video = video;
    this.#connect();
  }

  /** Send no more. */
  close() {
    this.#ended = true;
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
      const said = JSON.parse(data);
      if (said.error) error = said.error;
      if (said.ready) this.#take(said.ready);
    });
    socket.addEventListener("close", () => socket === this.#socket && this.#lose(error));
  }

  #take(credits) {
    if (!this.#welcome || this.#pause !== FIRST_PAUSE_MS) this.#tell("open");
    this.#welcome = true;
    this.#pause = FIRST_PAUSE_MS;
    this.#credits += credits;
    this.#send();
  }

  #lose(error) {
    this.#socket = null;
    // The gateway may take our own lost connection for another browser's for some seconds.
    const passes = !error || PASSING.includes(error.code) || (this.#welcome && error.code === "name_taken");
    if (!passes) {
      this.close();
      this.#tell("refused", error);
      return;
    }
    this.#tell("lost", error?.message ?? "the connection to the gateway is lost");
    this.#timer = setTimeout(() => this.#connect(), this.#pause * (0.7 + 0.6 * Math.random()));
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.7);
  }

  async #send() {
    if (this.#busy || !this.#credits || !this.#socket || this.#ended) return;
    const seen = this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    const early = seen ? this.#due - performance.now() : NOT_YET_MS;
    if (early > 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#send(), early);
      return;
    }
    this.#busy = true;
    this.#due = performance.now() + 1000 / MOST_PER_SECOND;
    const socket = this.#socket;
    const jpeg = await this.#picture();
    this.#busy = false;
    if (jpeg && socket === this.#socket && socket.readyState === WebSocket.OPEN) {
      this.#credits -= 1;
      socket.send(jpeg);
      this.#tell("sent", { width: this.#canvas.width, height: this.#canvas.height });
    }
    this.#send();
  }

  #picture() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    this.#canvas.width = Math.round(videoWidth * scale);
    this.#canvas.height = Math.round(videoHeight * scale);
    this.#canvas.getContext("2d").drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
