// The videos of all tiles over one WebSocket, because a browser opens only six HTTP connections to a host, for all of its
// tabs together. It reconnects by itself.

const RETRY_MS = 1000;
const TIMEOUT_MS = 8000; // the gateway sends about one picture a second of each source, even if it has no video
const TIMEOUT_CHECK_MS = 1000;
const LENGTH_BYTES = 4;
const WIDTHS = [320, 480, 640, 960, 1280, 1920]; // only a few, so that viewers share encoded frames

export class VideoFeed {
  #watched = new Map(); // by source: {width, onFrame}
  #decoding = new Set(); // sources with a picture that is being decoded
  #waiting = new Map(); // by source: the newest message that waits for the decoder
  #socket = null;
  #lastMessageAt = 0;
  #retryTimer = null;

  constructor() {
    setInterval(() => this.#checkTimeout(), TIMEOUT_CHECK_MS);
    document.addEventListener("visibilitychange", () => this.#update()); // a hidden tab watches nothing
  }

  /**
   * Watch a source.
   * @param {string} source its name
   * @param {number} pixels its width on the screen
   * @param {(picture: ImageBitmap, frame: object | null) => void} onFrame `frame`: the identity of the frame and its
   *   faces; null for a placeholder, which states why there is no video
   */
  watch(source, pixels, onFrame) {
    const width = WIDTHS.find((one) => one >= pixels) ?? WIDTHS.at(-1);
    const isSame = this.#watched.get(source)?.width === width;
    this.#watched.set(source, { width, onFrame });
    if (!isSame) this.#update();
  }

  unwatch(source) {
    if (this.#watched.delete(source)) this.#update();
  }

  /** Reconnect, because the current connection may be dead. */
  restart() {
    this.#disconnect();
    this.#update();
  }

  #isWanted() {
    return this.#watched.size > 0 && !document.hidden;
  }

  #update() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#sendWatched();
    else if (!this.#socket && this.#isWanted()) this.#connect();
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    const socket = new WebSocket(new URL("/ws/video", location.href.replace(/^http/, "ws")));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#lastMessageAt = performance.now();
    const ifCurrent = (handle) => (event) => socket === this.#socket && handle(event);
    socket.addEventListener("open", ifCurrent(() => this.#sendWatched()));
    socket.addEventListener("message", ifCurrent(({ data }) => this.#receive(data)));
    socket.addEventListener("close", ifCurrent(() => this.#retry()));
  }

  #disconnect() {
    const socket = this.#socket;
    this.#socket = null;
    this.#waiting.clear();
    socket?.close();
  }

  #retry() {
    this.#disconnect();
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#update(), RETRY_MS);
  }

  #checkTimeout() {
    if (!this.#isWanted()) this.#lastMessageAt = performance.now();
    else if (this.#socket && performance.now() - this.#lastMessageAt > TIMEOUT_MS) this.#retry();
  }

  #sendWatched() {
    const watched = document.hidden ? [] : [...this.#watched].map(([source, { width }]) => ({ source, width }));
    this.#socket.send(JSON.stringify({ watch: watched }));
  }

  #receive(data) {
    this.#lastMessageAt = performance.now();
    if (typeof data === "string") return; // an error; the gateway closes the connection
    const metadataEnd = LENGTH_BYTES + new DataView(data).getUint32(0);
    const metadata = JSON.parse(new TextDecoder().decode(new Uint8Array(data, LENGTH_BYTES, metadataEnd - LENGTH_BYTES)));
    const message = { socket: this.#socket, metadata, jpeg: new Blob([new Uint8Array(data, metadataEnd)], { type: "image/jpeg" }) };
    if (this.#decoding.has(metadata.source)) this.#waiting.set(metadata.source, message);
    else this.#show(message);
  }

  async #show({ socket, metadata, jpeg }) {
    const { source } = metadata;
    this.#decoding.add(source);
    try {
      const picture = await createImageBitmap(jpeg);
      this.#watched.get(source)?.onFrame(picture, metadata.faces ? metadata : null);
      picture.close();
    } catch (error) {
      console.info(`A picture of ${source} cannot be shown: ${error.message}`);
    } finally {
      this.#decoding.delete(source);
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ready: source }));
      const next = this.#waiting.get(source);
      this.#waiting.delete(source);
      if (next) this.#show(next);
    }
  }
}
