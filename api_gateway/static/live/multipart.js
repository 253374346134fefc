// The pictures of a `multipart/x-mixed-replace` answer, with the headers of each: an <img> would keep those to itself.

const BLANK_LINE = [13, 10, 13, 10];
const LONGEST_HEAD = 65536;

/** @param {ReadableStream<Uint8Array>} stream @yields {{headers: Map<string, string>, bytes: Uint8Array}} */
export async function* parts(stream) {
  const bytes = new Bytes(stream.getReader());
  try {
    for (;;) {
      const head = await bytes.throughBlankLine();
      if (!head) return;
      const headers = read(new TextDecoder().decode(head));
      const content = await bytes.exactly(Number(headers.get("content-length")));
      if (!content) return;
      yield { headers, bytes: content };
    }
  } finally {
    await bytes.reader.cancel().catch(() => {}); // the connection has ended already
  }
}

function read(head) {
  const lines = head.split("\r\n").filter((line) => line.includes(":")); // the boundary has none
  return new Map(lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]));
}

class Bytes {
  constructor(reader) {
    this.reader = reader;
    this.held = new Uint8Array(0);
  }

  async throughBlankLine() {
    for (let from = 0; ; ) {
      const end = this.find(from);
      if (end >= 0) return this.take(end + BLANK_LINE.length);
      from = Math.max(0, this.held.length - BLANK_LINE.length);
      if (this.held.length > LONGEST_HEAD) throw new TypeError("this is no multipart answer");
      if (!(await this.more())) return null;
    }
  }

  async exactly(count) {
    if (!Number.isInteger(count)) throw new TypeError("a part without its length");
    while (this.held.length < count) if (!(await this.more())) return null;
    return this.take(count);
  }

  find(from) {
    for (let at = from; at + BLANK_LINE.length <= this.held.length; at += 1) {
      if (BLANK_LINE.every((byte, index) => this.held[at + index] === byte)) return at;
    }
    return -1;
  }

  take(count) {
    const taken = this.held.slice(0, count);
    this.held = this.held.subarray(count);
    return taken;
  }

  async more() {
    const { done, value } = await this.reader.read();
    if (done) return false;
    const joined = new Uint8Array(this.held.length + value.length);
    joined.set(this.held);
    joined.set(value, this.held.length);
    this.held = joined;
    return true;
  }
}
