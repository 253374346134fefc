// A client of /ws/emotions, for browsers and for Node.js: one ES module without dependencies.
//
//   const emotii = new Emotii("ws://127.0.0.1:5000/ws/emotions", { sources: ["front"], kinds: ["reading"], rate: 5 });
//   emotii.addEventListener("reading", ({ detail }) => console.log(detail.track, detail.emotion, detail.confidence));
//
// It connects again by itself, waiting a little longer after each failure, and takes a connection over which nothing
// comes any more for a lost one: the gateway says something every second, if only a heartbeat.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 4000;
const SILENT_MS = 3500;
const WATCH_MS = 500;
const UNDERSTOOD = 2; // the protocol version

/**
 * What to tell; what is left out, or null, means all.
 * @typedef {object} Subscription
 * @property {string[]} [sources] names of sources
 * @property {number[]} [tracks] numbers of tracks
 * @property {("reading"|"episode"|"state"|"stats")[]} [kinds]
 * @property {number} [rate] at most so many readings a second and track, the newest ones
 */

/**
 * Events, each a `CustomEvent` with what it tells as `detail`:
 * - `open`: the connection stands; the hello follows at once.
 * - `hello`: how everything stands: `{sources, episodes, stats}`. What was kept from before is to be replaced by it.
 * - `reading`, `episode`, `state`, `gone`, `stats`, `missed`, `refused`, `heartbeat`: as the gateway's `/asyncapi.json`
 *   describes them.
 * - `events`: the array of all events of a moment, before they are told one by one.
 * - `close`: the connection is lost (or could not be made): `{reason, retryMs}`; after `retryMs` it is tried again, or
 *   never if that is null, because `close()` was called.
 */
export class Emotii extends EventTarget {
  #subscription; // what is wanted
  #asked; // what this connection was made with, or told since
  #WebSocket;
  #socket = null;
  #open = false;
  #began = 0;
  #heard = 0;
  #pause = FIRST_PAUSE_MS;
  #retry = null;
  #watch = null;
  #ended = false;

  /**
   * @param {string} [url] of the gateway's `/ws/emotions`; http(s) and addresses relative to the page will do.
   * @param {Subscription & {WebSocket?: typeof WebSocket}} [options] `WebSocket`: the class to connect with, where the
   *   platform has none of its own.
   */
  constructor(url = "/ws/emotions", { WebSocket = globalThis.WebSocket, ...subscription } = {}) {
    super();
    if (!WebSocket) throw new TypeError("no WebSocket here: give one as an option, or use Node.js 22 or later");
    const address = new URL(url, globalThis.location?.href);
    address.protocol = address.protocol.replace(/^http/, "ws");
    this.url = address.href;
    this.#WebSocket = WebSocket;
    this.#subscription = subscription;
    this.#watch = setInterval(() => this.#lookForSilence(), WATCH_MS);
    globalThis.addEventListener?.("online", this.#connectNow);
    this.#connect();
  }

  /** Whether the connection stands and is heard of: from the hello on. */
  get isOpen() {
    return this.#open;
  }

  /** Milliseconds since the gateway was last heard, Infinity before the first time. */
  get silentMs() {
    return this.#heard ? Date.now() - this.#heard : Infinity;
  }

  /** Replace the subscription, now and for every later connection. @param {Subscription} [subscription] */
  subscribe(subscription = {}) {
    this.#subscription = subscription;
    if (this.#open) this.#ask();
  }

  /** Leave for good. */
  close() {
    this.#ended = true;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    globalThis.removeEventListener?.("online", this.#connectNow);
    if (this.#socket) this.#lose("closed here");
  }

  #ask() {
    this.#asked = this.#subscription;
    this.#socket.send(JSON.stringify({ subscribe: this.#asked }));
  }

  #connect() {
    this.#asked = this.#subscription;
    const socket = new this.#WebSocket(this.#addressed());
    const ours = (act) => (event) => socket === this.#socket && act(event);
    this.#socket = socket;
    this.#began = Date.now();
    socket.addEventListener("message", ours((message) => this.#take(message.data)));
    socket.addEventListener("close", ours((event) => this.#lose(event.reason || "the connection ended")));
    socket.addEventListener("error", ours(() => {})); // a close follows; Node.js would end the program without this
  }

  #connectNow = () => {
    if (this.#socket || this.#ended) return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  /** The subscription stands in the address, so that nothing else is told first. */
  #addressed() {
    const address = new URL(this.url);
    const { sources, tracks, kinds, rate } = this.#asked;
    for (const source of sources ?? []) address.searchParams.append("source", source);
    for (const track of tracks ?? []) address.searchParams.append("track", track);
    for (const kind of kinds ?? []) address.searchParams.append("kind", kind);
    if (rate != null) address.searchParams.set("rate", rate);
    return address.href;
  }

  #take(text) {
    this.#heard = Date.now();
    const message = JSON.parse(text);
    if (Array.isArray(message)) {
      this.#tell("events", message);
      for (const event of message) this.#tell(event.kind, event);
    } else if (message.type === "hello") {
      if (message.v !== UNDERSTOOD) console.warn(`the gateway speaks version ${message.v}, this client ${UNDERSTOOD}`);
      this.#pause = FIRST_PAUSE_MS;
      this.#open = true;
      if (this.#asked !== this.#subscription) this.#ask(); // it was replaced while the connection was being made
      this.#tell("open", null);
      this.#tell("hello", message);
    }
  }

  #lose(reason) {
    const socket = this.#socket;
    this.#socket = null;
    this.#open = false;
    let retryMs = null;
    if (!this.#ended) {
      retryMs = this.#pause * (0.7 + 0.6 * Math.random()); // not all clients of a restarted gateway at once
      this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 1.7);
      this.#retry = setTimeout(() => this.#connect(), retryMs);
    }
    socket.close(); // a silent connection would not end by itself
    this.#tell("close", { reason, retryMs });
  }

  #lookForSilence() {
    if (this.#socket && Date.now() - Math.max(this.#heard, this.#began) > SILENT_MS) this.#lose("nothing was heard");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
