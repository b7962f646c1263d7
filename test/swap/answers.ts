/** A response as a client got it. */
export interface Answer {
  readonly status: number;
  /** In the order received, names in lower case, values in latin-1. */
  readonly fields: readonly (readonly [string, string])[];
  readonly content: Buffer;
  /** False when the connection ended before the end that the head announced, or was reset. */
  readonly whole: boolean;
}

/** How the content of a response ends. */
type Framing = 'none' | 'length' | 'chunked' | 'close';

/** Reads one response after the other of a connection (RFC 9112 section 6.3). */
export class AnswerReader {
  #rest: Buffer = Buffer.alloc(0);
  #blocks: Buffer[] = [];
  #head: Pick<Answer, 'status' | 'fields'> | null = null;
  #framing: Framing = 'none';
  #missing = 0;

  /** What came of the content of the response that is being read. */
  get content(): Buffer {
    return Buffer.concat(this.#blocks);
  }

  /** Takes what came and returns the response to `method` when it is whole. Interim responses are passed over. */
  take(block: Buffer, method: string): Answer | null {
    this.#rest = this.#rest.length === 0 ? block : Buffer.concat([this.#rest, block]);
    while (this.#head === null || (this.#head.status >= 100 && this.#head.status < 200)) {
      this.#head = this.#readHead();
      if (this.#head === null) return null;
    }
    this.#framing = framingOf(this.#head, method);
    return this.#readContent() ? this.#finish(true) : null;
  }

  /** The response as far as it came; null when none had begun. `closed`: the connection ended properly, which can be its end. */
  end(closed: boolean): Answer | null {
    if (this.#head === null) return null;
    return this.#finish(this.#framing === 'close' && closed);
  }

  #readHead(): Pick<Answer, 'status' | 'fields'> | null {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [line = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    this.#rest = this.#rest.subarray(end + 4);
    const fields = lines.map((text): [string, string] => {
      const colon = text.indexOf(':');
      return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
    });
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? 0);
    this.#missing = Number(fields.find(([name]) => name === 'content-length')?.[1] ?? 0);
    return { status, fields };
  }

  /** True at the end of the content. */
  #readContent(): boolean {
    if (this.#framing === 'none') return true;
    if (this.#framing === 'chunked') return this.#readChunks();
    const part = this.#framing === 'close' ? this.#rest : this.#rest.subarray(0, this.#missing);
    this.#rest = this.#rest.subarray(part.length);
    this.#blocks.push(part);
    this.#missing -= part.length;
    return this.#framing === 'length' && this.#missing === 0;
  }

  #readChunks(): boolean {
    for (;;) {
      const lineEnd = this.#rest.indexOf('\r\n');
      if (lineEnd < 0) return false;
      const size = Number.parseInt(this.#rest.toString('latin1', 0, lineEnd), 16);
      const end = lineEnd + 2 + size;
      if (this.#rest.length < end + 2) return false;
      this.#blocks.push(this.#rest.subarray(lineEnd + 2, end));
      this.#rest = this.#rest.subarray(end + 2);
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

/** All values of a field, as they stand behind each other. */
export function valuesOf({ fields }: Answer, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}
