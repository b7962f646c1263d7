/** RFC 1035 section 3.2.2, RFC 3596 and RFC 2782. */
export const TYPES = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const;
export type RecordType = keyof typeof TYPES;

/** A record of an answer. */
export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  /** In seconds. */
  readonly ttl: number;
  /** A numeric address or a name. */
  readonly data: string;
  /** Set for SRV records only. */
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface DnsAnswer {
  readonly id: number;
  /** The answer did not fit into a packet. */
  readonly truncated: boolean;
  /** RCODE: 0 for no error, 3 for an unknown name. */
  readonly code: number;
  readonly records: readonly DnsRecord[];
}

const HEAD_BYTES = 12;
const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
const CLASS_IN = 1;
const RECORDS_MAX = 4096;
/** QR: a response. */
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;

/** A query with `id` for the records of `type` of `name`. Null when `name` is not a valid name. */
export function encodeQuery(id: number, name: string, type: RecordType): Buffer | null {
  const labels = name.replace(/\.$/, '').split('.');
  const length = labels.reduce((sum, label) => sum + label.length + 1, 1);
  if (length > NAME_BYTES_MAX || labels.some((label) => label.length === 0 || label.length > LABEL_BYTES_MAX))
    return null;
  const bytes = Buffer.alloc(HEAD_BYTES + length + 4);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(RECURSION_DESIRED, 2);
  bytes.writeUInt16BE(1, 4);
  let at = HEAD_BYTES;
  for (const label of labels) {
    bytes[at] = label.length;
    at += 1 + bytes.write(label, at + 1, 'latin1');
  }
  bytes.writeUInt16BE(TYPES[type], at + 1);
  bytes.writeUInt16BE(CLASS_IN, at + 3);
  return bytes;
}

/**
 * Parses the response to a query for `name` and `type`. Returns null when the bytes are malformed or answer another
 * query.
 */
export function decodeAnswer(bytes: Buffer, name: string, type: RecordType): DnsAnswer | null {
  try {
    return new Reader(bytes).answer(name.replace(/\.$/, '').toLowerCase(), TYPES[type]);
  } catch (error) {
    if (error instanceof RangeError || error instanceof Malformed) return null;
    throw error;
  }
}

class Malformed extends Error {}

const NAMES = new Map<number, RecordType>(Object.entries(TYPES).map(([name, type]) => [type, name as RecordType]));

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  answer(name: string, type: number): DnsAnswer {
    const id = this.#number16();
    const flags = this.#number16();
    const [questions, answers, authorities, additional] = [
      this.#number16(),
      this.#number16(),
      this.#number16(),
      this.#number16(),
    ];
    const question = this.#name();
    if ((flags & RESPONSE) === 0 || questions !== 1 || question !== name || this.#number16() !== type)
      throw new Malformed();
    if (this.#number16() !== CLASS_IN) throw new Malformed();
    const truncated = (flags & TRUNCATED) !== 0;
    const count = answers + authorities + additional;
    if (count > RECORDS_MAX) throw new Malformed();
    const records: DnsRecord[] = [];
    for (let i = 0; i < count && !truncated; i += 1) {
      const record = this.#record();
      if (record !== null) records.push(record);
    }
    return { id, truncated, code: flags & 0x0f, records };
  }

  /** Returns null for a record of an unsupported type. */
  #record(): DnsRecord | null {
    const name = this.#name();
    const type = NAMES.get(this.#number16());
    const isInternet = this.#number16() === CLASS_IN;
    const ttl = this.#number32();
    const end = this.#number16() + this.#at;
    if (end > this.#bytes.length) throw new Malformed();
    const record = type === undefined || !isInternet ? null : this.#data(name, type, ttl, end);
    this.#at = end;
    return record;
  }

  #data(name: string, type: RecordType, ttl: number, end: number): DnsRecord {
    const common = { name, type, ttl, port: 0, priority: 0, weight: 0 };
    switch (type) {
      case 'A':
        return { ...common, data: this.#octets(4, end).join('.') };
      case 'AAAA': {
        const hex = Buffer.from(this.#octets(16, end)).toString('hex');
        return { ...common, data: (hex.match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':') };
      }
      case 'SRV': {
        const [priority, weight, port] = [this.#number16(), this.#number16(), this.#number16()];
        return { ...common, priority, weight, port, data: this.#name() };
      }
      case 'CNAME':
        return { ...common, data: this.#name() };
    }
  }

  #octets(length: number, end: number): number[] {
    if (end - this.#at !== length) throw new Malformed();
    return [...this.#bytes.subarray(this.#at, end)];
  }

  /**
   * The name in lower case without its final dot. Pointers must point backwards, so decoding always terminates (RFC
   * 1035 section 4.1.4).
   */
  #name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let next = -1;
    let length = 0;
    for (;;) {
      const size = this.#bytes.readUInt8(at);
      if (size === 0) break;
      if ((size & 0xc0) === 0xc0) {
        const target = this.#bytes.readUInt16BE(at) & 0x3fff;
        if (next < 0) next = at + 2;
        if (target >= at) throw new Malformed();
        at = target;
        continue;
      }
      length += size + 1;
      if (size > LABEL_BYTES_MAX || length > NAME_BYTES_MAX || at + 1 + size > this.#bytes.length)
        throw new Malformed();
      labels.push(this.#bytes.toString('latin1', at + 1, at + 1 + size).toLowerCase());
      at += 1 + size;
    }
    this.#at = next < 0 ? at + 1 : next;
    return labels.join('.');
  }

  #number16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  #number32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }
}
