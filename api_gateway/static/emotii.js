// A client of /ws/emotions for browsers and Node.js: one ES module without dependencies.
//
//   const emotii = new Emotii("ws://127.0.0.1:5000/ws/emotions", { sources: ["front"], kinds: ["reading"], rate: 5 });
//   emotii.addEventListener("reading", ({ detail }) => console.log(detail.track, detail.emotion, detail.confidence));
//
// The client reconnects by itself, with a longer delay after each failure. The gateway sends a message every second, if
// only a heartbeat; the client closes a connection without messages and reconnects.

const FIRST_RETRY_MS = 400;
const MAX_RETRY_MS = 4000;
const TIMEOUT_MS = 3500;
const TIMEOUT_CHECK_MS = 500;
const PROTOCOL_VERSION = 2;

/**
 * The events to receive. An option that is omitted or null does not restrict them.
 * @typedef {object} Subscription
 * @property {string[]} [sources] names of sources
 * @property {number[]} [tracks] numbers of tracks
 * @property {("reading"|"episode"|"state"|"stats")[]} [kinds]
 * @property {number} [rate] the maximum number of readings per second and track; the newest ones are sent
 */

/**
 * Events, each a `CustomEvent` whose `detail` is the event's content:
 * - `open`: the connection is established; a `hello` follows immediately.
 * - `hello`: the current state: `{sources, episodes, stats}`. It replaces all state from earlier connections.
 * - `reading`, `episode`, `state`, `gone`, `stats`, `missed`, `refused`, `heartbeat`: as described by the gateway's
 *   `/asyncapi.json`.
 * - `events`: the array of all events of one message, dispatched before the individual events.
 * - `close`: the connection was lost or could not be established: `{reason, retryMs}`. The client reconnects after
 *   `retryMs`; null means never, because `close()` was called.
 */
export class Emotii extends EventTarget {
  #subscription; // the latest one
  #sentSubscription; // the one that the gateway has received over this connection
  #WebSocket;
  #socket = null;
  #isOpen = false;
  #connectStartedAt = 0;
  #lastMessageAt = 0;
  #retryDelay = FIRST_RETRY_MS;
  #retryTimer = null;
  #timeoutTimer = null;
  #isClosed = false;

  /**
   * @param {string} [url] of the gateway's `/ws/emotions`; http(s) URLs and URLs relative to the page are accepted.
   * @param {Subscription & {WebSocket?: typeof WebSocket}} [options] `WebSocket`: the class to connect with, for
   *   platforms without a global one.
   */
  constructor(url = "/ws/emotions", { WebSocket = globalThis.WebSocket, ...subscription } = {}) {
    super();
    if (!WebSocket) throw new TypeError("no global WebSocket: pass a WebSocket class as an option, or use Node.js 22 or later");
    const absolute = new URL(url, globalThis.location?.href);
    absolute.protocol = absolute.protocol.replace(/^http/, "ws");
    this.url = absolute.href;
    this.#WebSocket = WebSocket;
    this.#subscription = subscription;
    this.#timeoutTimer = setInterval(() => this.#checkTimeout(), TIMEOUT_CHECK_MS);
    globalThis.addEventListener?.("online", this.#reconnectNow);
    this.#connect();
  }

  /** Whether the connection is established and the hello has been received. */
  get isOpen() {
    return this.#isOpen;
  }

  /** Milliseconds since the last message of the gateway; Infinity before the first one. */
  get silentMs() {
    return this.#lastMessageAt ? Date.now() - this.#lastMessageAt : Infinity;
  }

  /** Replace the subscription of this and all later connections. @param {Subscription} [subscription] */
  subscribe(subscription = {}) {
    this.#subscription = subscription;
    if (this.#isOpen) this.#sendSubscription();
  }

  /** Close the connection and do not reconnect. */
  close() {
    this.#isClosed = true;
    clearInterval(this.#timeoutTimer);
    clearTimeout(this.#retryTimer);
    globalThis.removeEventListener?.("online", this.#reconnectNow);
    if (this.#socket) this.#disconnect("closed by the client");
  }

  #sendSubscription() {
    this.#sentSubscription = this.#subscription;
    this.#socket.send(JSON.stringify({ subscribe: this.#sentSubscription }));
  }

  #connect() {
    this.#sentSubscription = this.#subscription;
    const socket = new this.#WebSocket(this.#urlWithSubscription());
    const ifCurrent = (handle) => (event) => socket === this.#socket && handle(event);
    this.#socket = socket;
    this.#connectStartedAt = Date.now();
    socket.addEventListener("message", ifCurrent((message) => this.#handleMessage(message.data)));
    socket.addEventListener("close", ifCurrent((event) => this.#disconnect(event.reason || "the connection was closed")));
    socket.addEventListener("error", ifCurrent(() => {})); // a close event follows; Node.js exits without this listener
  }

  #reconnectNow = () => {
    if (this.#socket || this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  };

  /** The URL contains the subscription, so that the gateway sends no other events first. */
  #urlWithSubscription() {
    const url = new URL(this.url);
    const { sources, tracks, kinds, rate } = this.#sentSubscription;
    for (const source of sources ?? []) url.searchParams.append("source", source);
    for (const track of tracks ?? []) url.searchParams.append("track", track);
    for (const kind of kinds ?? []) url.searchParams.append("kind", kind);
    if (rate != null) url.searchParams.set("rate", rate);
    return url.href;
  }

  #handleMessage(text) {
    this.#lastMessageAt = Date.now();
    const message = JSON.parse(text);
    if (Array.isArray(message)) {
      this.#emit("events", message);
      for (const event of message) this.#emit(event.kind, event);
    } else if (message.type === "hello") {
      if (message.v !== PROTOCOL_VERSION) {
        console.warn(`The gateway uses protocol version ${message.v}, this client version ${PROTOCOL_VERSION}.`);
      }
      this.#retryDelay = FIRST_RETRY_MS;
      this.#isOpen = true;
      if (this.#sentSubscription !== this.#subscription) this.#sendSubscription(); // it changed while connecting
      this.#emit("open", null);
      this.#emit("hello", message);
    }
  }

  #disconnect(reason) {
    const socket = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    let retryMs = null;
    if (!this.#isClosed) {
      retryMs = this.#retryDelay * (0.7 + 0.6 * Math.random()); // spreads the clients of a restarted gateway
      this.#retryDelay = Math.min(MAX_RETRY_MS, this.#retryDelay * 1.7);
      this.#retryTimer = setTimeout(() => this.#connect(), retryMs);
    }
    socket.close(); // a connection that timed out does not end by itself
    this.#emit("close", { reason, retryMs });
  }

  #checkTimeout() {
    const lastActivity = Math.max(this.#lastMessageAt, this.#connectStartedAt);
    if (this.#socket && Date.now() - lastActivity > TIMEOUT_MS) this.#disconnect("the connection timed out");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
