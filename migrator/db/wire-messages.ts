import { constants } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";

/**
 * The server sent something that is not a message of Postgres' protocol. SQLSTATE 08P01 (protocol_violation) makes it
 * count as a lost connection.
 */
class BadMessage extends Error {
  readonly code = "08P01";

  constructor(problem: string) {
    super(`the server sent what is no message of Postgres' protocol: ${problem}`);
  }
}

/**
 * Passes what a server sends to pg's parser in whole messages that were checked before. That parser searches for the
 * end of a text beyond the end of its message, and never stops if there is none; then no timer of this process fires.
 * After an invalid message the stream is destroyed with {@link BadMessage}.
 */
export function checkedMessages(stream: Duplex): EventEmitter {
  const checked = new EventEmitter();
  const messages = new WholeMessages();
  stream.on("data", (chunk: Buffer) => {
    let whole: Buffer;
    try {
      whole = messages.add(chunk);
    } catch (error) {
      stream.destroy(error as Error);
      return;
    }
    if (whole.length > 0) checked.emit("data", whole);
  });
  stream.on("end", () => checked.emit("end"));
  return checked;
}

/** The number of bytes of a message's type and length. */
const HEADER = 5;
/**
 * The largest number of bytes of a message whose type is not in {@link LONG}. libpq gives up at the same size
 * (fe-protocol3.c, VALID_LONG_MESSAGE_TYPE).
 */
const SHORT_LIMIT = 30_000;
const LONG = "TDdENA";

/** Collects chunks until messages are complete. */
export class WholeMessages {
  #chunks: Buffer[] = [];
  #size = 0;
  /** The number of bytes with which the first message is complete, as far as it is known. */
  #needed = HEADER;

  /**
   * Adds a chunk.
   * @returns the messages that are complete now; empty if none is
   * @throws BadMessage if a message is invalid
   */
  add(chunk: Buffer): Buffer {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return Buffer.alloc(0);
    const data = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let end = 0;
    this.#needed = HEADER;
    while (data.length - end >= HEADER) {
      const type = String.fromCharCode(data[end]!);
      const length = data.readUInt32BE(end + 1);
      checkLength(type, length);
      this.#needed = 1 + length;
      if (data.length - end < this.#needed) break;
      SHAPES[type]!(new Body(data.subarray(end + HEADER, end + this.#needed)));
      end += this.#needed;
      this.#needed = HEADER;
    }
    this.#chunks = end < data.length ? [data.subarray(end)] : [];
    this.#size = data.length - end;
    return data.subarray(0, end);
  }
}

function checkLength(type: string, length: number): void {
  if (SHAPES[type] === undefined) throw new BadMessage("its type is unknown");
  if (length < 4 || length > (LONG.includes(type) ? constants.MAX_STRING_LENGTH : SHORT_LIMIT))
    throw new BadMessage(`a length of ${length} bytes is impossible`);
}

/** The fields of a message, read one after the other. */
class Body {
  #at = 0;

  constructor(readonly bytes: Buffer) {}

  skip(count: number): void {
    if (count < 0 || this.#at + count > this.bytes.length) throw new BadMessage("a field ends outside of its message");
    this.#at += count;
  }

  /** Skips a text that ends with a zero byte, and returns its length. */
  text(): number {
    const end = this.bytes.indexOf(0, this.#at);
    if (end < 0) throw new BadMessage("a text has no end");
    const length = end - this.#at;
    this.#at = end + 1;
    return length;
  }

  int32(): number {
    this.skip(4);
    return this.bytes.readInt32BE(this.#at - 4);
  }

  /** Reads a number of fields, and calls `field` for each of them. */
  list(field: () => void): void {
    this.skip(2);
    const count = this.bytes.readInt16BE(this.#at - 2);
    if (count < 0) throw new BadMessage("a number of fields is negative");
    for (let index = 0; index < count; index++) field();
  }
}

const nothing = () => undefined;
const copy = (body: Body) => {
  body.skip(1);
  body.list(() => body.skip(2));
};
/**
 * Skips texts up to an empty one. The fields of an error are skipped in the same way: a letter and its text count as
 * one text.
 */
const texts = (body: Body) => {
  while (body.text() > 0);
};

/** The fields that a message of each type must contain at least (PostgreSQL documentation, "Message Formats"). */
const SHAPES: Record<string, ((body: Body) => void) | undefined> = {
  ...Object.fromEntries([..."123Icdns"].map((type) => [type, nothing])),
  A: (body) => {
    body.skip(4);
    body.text();
    body.text();
  },
  C: (body) => void body.text(),
  D: (body) =>
    body.list(() => {
      const length = body.int32();
      if (length !== -1) body.skip(length);
    }),
  E: texts,
  G: copy,
  H: copy,
  K: (body) => body.skip(8),
  N: texts,
  R: (body) => {
    const method = body.int32();
    if (method === 5) body.skip(4);
    if (method === 10) texts(body);
  },
  S: (body) => {
    body.text();
    body.text();
  },
  T: (body) =>
    body.list(() => {
      body.text();
      body.skip(18);
    }),
  W: copy,
  Z: (body) => body.skip(1),
  t: (body) => body.list(() => body.skip(4)),
};
