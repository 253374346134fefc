// The events of /ws/emotions, for ever: it connects again by itself and says when nothing comes any more.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 4000;
const SILENT_MS = 3500; // the gateway sends its figures once a second

export class Connection {
  /**
   * @param {{onHello: Function, onEvents: Function, onOpenChange: Function}} listener told the hello, each array of
   *   events, and whether the connection stands.
   */
  constructor(listener) {
    this.listener = listener;
    this.pause = FIRST_PAUSE_MS;
    this.heard = 0;
    this.open();
    setInterval(() => this.watch(), 500);
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/emotions`);
    this.socket = socket;
    this.heard = Date.now();
    socket.addEventListener("message", (message) => socket === this.socket && this.take(JSON.parse(message.data)));
    socket.addEventListener("close", () => socket === this.socket && this.lost());
  }

  take(message) {
    this.heard = Date.now();
    if (Array.isArray(message)) {
      this.listener.onEvents(message);
    } else if (message.type === "hello") {
      this.pause = FIRST_PAUSE_MS;
      this.listener.onOpenChange(true);
      this.listener.onHello(message);
    }
  }

  lost() {
    this.socket = null;
    this.listener.onOpenChange(false);
    setTimeout(() => this.open(), this.pause * (0.7 + 0.6 * Math.random()));
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 1.7);
  }

  watch() {
    if (this.socket && Date.now() - this.heard > SILENT_MS) {
      const silent = this.socket; // a connection that died without a word never closes by itself
      this.lost();
      silent.close();
    }
  }
}
