// Parts of a `multipart/x-mixed-replace` response with their headers, which an <img> element does not expose.

const BLANK_LINE = [13, 10, 13, 10];
const MAX_HEAD_BYTES = 65536;

/** @param {ReadableStream<Uint8Array>} stream @yields {{headers: Map<string, string>, bytes: Uint8Array}} */
export async function* readParts(stream) {
  const buffer = new ReadBuffer(stream.getReader());
  try {
    for (;;) {
      const head = await buffer.readThroughBlankLine();
      if (!head) return;
      const headers = parseHeaders(new TextDecoder().decode(head));
      const content = await buffer.readExactly(Number(headers.get("content-length")));
      if (!content) return;
      yield { headers, bytes: content };
    }
  } finally {
    await buffer.reader.cancel().catch(() => {}); // fails if the connection has already ended
  }
}

function parseHeaders(head) {
  const lines = head.split("\r\n").filter((line) => line.includes(":")); // skips the boundary
  return new Map(lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]));
}

class ReadBuffer {
  constructor(reader) {
    this.reader = reader;
    this.bytes = new Uint8Array(0);
  }

  /** @returns {Promise<Uint8Array | null>} null at the end of the stream */
  async readThroughBlankLine() {
    for (let from = 0; ; ) {
      const end = this.indexOfBlankLine(from);
      if (end >= 0) return this.consume(end + BLANK_LINE.length);
      from = Math.max(0, this.bytes.length - BLANK_LINE.length);
      if (this.bytes.length > MAX_HEAD_BYTES) throw new TypeError("The response is not multipart.");
      if (!(await this.fill())) return null;
    }
  }

  /** @returns {Promise<Uint8Array | null>} null at the end of the stream */
  async readExactly(count) {
    if (!Number.isInteger(count)) throw new TypeError("A part has no Content-Length.");
    while (this.bytes.length < count) if (!(await this.fill())) return null;
    return this.consume(count);
  }

  indexOfBlankLine(from) {
    for (let at = from; at + BLANK_LINE.length <= this.bytes.length; at += 1) {
      if (BLANK_LINE.every((byte, index) => this.bytes[at + index] === byte)) return at;
    }
    return -1;
  }

  consume(count) {
    const consumed = this.bytes.slice(0, count);
    this.bytes = this.bytes.subarray(count);
    return consumed;
  }

  /** Append the next chunk of the stream. @returns {Promise<boolean>} false at its end */
  async fill() {
    const { done, value } = await this.reader.read();
    if (done) return false;
    const joined = new Uint8Array(this.bytes.length + value.length);
    joined.set(this.bytes);
    joined.set(value, this.bytes.length);
    this.bytes = joined;
    return true;
  }
}
