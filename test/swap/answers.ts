/** A response as a client received it. */
export interface Answer {
  readonly status: number;
  /** In the order received, names in lower case, values in latin-1. */
  readonly fields: readonly (readonly [string, string])[];
  readonly content: Buffer;
  /** False if the connection ended before the end that the head announced, or was reset. */
  readonly whole: boolean;
}

/** How the content of a response ends. */
type Framing = 'none' | 'length' | 'chunked' | 'close';

/** Reads the responses of a connection one after the other (RFC 9112 section 6.3). */
export class AnswerReader {
  #unread: Buffer = Buffer.alloc(0);
  #blocks: Buffer[] = [];
  #head: Pick<Answer, 'status' | 'fields'> | null = null;
  #framing: Framing = 'none';
  #missingBytes = 0;

  /** The content so far of the response that is being read. */
  get content(): Buffer {
    return Buffer.concat(this.#blocks);
  }

  /** Reads a block. Returns the response to `method` once it is whole, else null. Skips interim responses. */
  take(block: Buffer, method: string): Answer | null {
    this.#unread = this.#unread.length === 0 ? block : Buffer.concat([this.#unread, block]);
    while (this.#head === null || (this.#head.status >= 100 && this.#head.status < 200)) {
      this.#head = this.#readHead();
      if (this.#head === null) return null;
    }
    this.#framing = framingOf(this.#head, method);
    return this.#readContent() ? this.#finish(true) : null;
  }

  /** The response so far; null if none has started. `closed`: the connection ended properly, which may be the end of the content. */
  end(closed: boolean): Answer | null {
    if (this.#head === null) return null;
    return this.#finish(this.#framing === 'close' && closed);
  }

  #readHead(): Pick<Answer, 'status' | 'fields'> | null {
    const end = this.#unread.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [line = '', ...lines] = this.#unread.toString('latin1', 0, end).split('\r\n');
    this.#unread = this.#unread.subarray(end + 4);
    const fields = lines.map((text): [string, string] => {
      const colon = text.indexOf(':');
      return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
    });
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? 0);
    this.#missingBytes = Number(fields.find(([name]) => name === 'content-length')?.[1] ?? 0);
    return { status, fields };
  }

  /** Returns true at the end of the content. */
  #readContent(): boolean {
    if (this.#framing === 'none') return true;
    if (this.#framing === 'chunked') return this.#readChunks();
    const part = this.#framing === 'close' ? this.#unread : this.#unread.subarray(0, this.#missingBytes);
    this.#unread = this.#unread.subarray(part.length);
    this.#blocks.push(part);
    this.#missingBytes -= part.length;
    return this.#framing === 'length' && this.#missingBytes === 0;
  }

  #readChunks(): boolean {
    for (;;) {
      const lineEnd = this.#unread.indexOf('\r\n');
      if (lineEnd < 0) return false;
      const size = Number.parseInt(this.#unread.toString('latin1', 0, lineEnd), 16);
      const end = lineEnd + 2 + size;
      if (this.#unread.length < end + 2) return false;
      this.#blocks.push(this.#unread.subarray(lineEnd + 2, end));
      this.#unread = this.#unread.subarray(end + 2);
      if (size === 0) return true;
    }
  }

  #finish(whole: boolean): Answer {
    const answer = { ...(this.#head as Pick<Answer, 'status' | 'fields'>), content: this.content, whole };
    this.#head = null;
    this.#blocks = [];
    return answer;
  }
}

function framingOf({ status, fields }: Pick<Answer, 'status' | 'fields'>, method: string): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  const names = new Map(fields);
  if (names.get('transfer-encoding') === 'chunked') return 'chunked';
  return names.has('content-length') ? 'length' : 'close';
}

/** The values of all fields with this name, in order. */
export function valuesOf({ fields }: Answer, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}
