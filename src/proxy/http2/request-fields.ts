import { OutgoingField, outgoingField } from '../../http/http2/hpack/outgoing-field.ts';
import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import { needsLength, type RequestHeadOptions, RequestHeads, requestTarget } from '../http1/request-heads.ts';

/** How many different field sections are remembered, and the most characters that one of them has. */
const KNOWN_MAX = 512;
const KNOWN_LENGTH_MAX = 4096;
const HOST = 'Host: ';
const TE_TRAILERS = outgoingField('te', 'trailers');
const NO_CONTENT = outgoingField('content-length', '0');

/** Makes the header sections of the requests to one backend (RFC 9113 section 8.3.1), with the fields that HTTP/1.1 sends. */
export class RequestFields {
  readonly #heads: RequestHeads;
  readonly #scheme: OutgoingField;
  /** `:authority` and the other fields, by their lines in HTTP/1.1. A full map is emptied. */
  readonly #known = new Map<string, readonly OutgoingField[]>();

  constructor(backend: Backend, options: Omit<RequestHeadOptions, 'closes'>) {
    this.#heads = new RequestHeads(backend, { ...options, closes: false });
    this.#scheme = outgoingField(':scheme', backend.tls === undefined ? 'http' : 'https');
  }

  of(request: Request): OutgoingField[] {
    const fields = this.#all(request);
    const { neverIndexed } = request;
    if (neverIndexed == null) return fields;
    return fields.map((field) => (neverIndexed.has(field.name) ? outgoingField(field.name, field.value, true) : field));
  }

  #all(request: Request): OutgoingField[] {
    const { method, body } = request;
    const fields = [
      outgoingField(':method', method),
      this.#scheme,
      new OutgoingField(':path', requestTarget(request), 'rare', false),
      ...this.#fieldsOf(this.#heads.fields(request)),
    ];
    if (acceptsTrailers(request)) fields.push(TE_TRAILERS);
    if (body === null) {
      if (needsLength(method)) fields.push(NO_CONTENT);
    } else if (body.length >= 0) fields.push(new OutgoingField('content-length', `${body.length}`, 'rare', false));
    return fields;
  }

  #fieldsOf(lines: string): readonly OutgoingField[] {
    const known = this.#known.get(lines);
    if (known !== undefined) return known;
    const fields = lines.split('\r\n').slice(0, -1).map(fieldOf);
    if (lines.length > KNOWN_LENGTH_MAX) return fields;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(lines, fields);
    return fields;
  }
}

function fieldOf(line: string): OutgoingField {
  if (line.startsWith(HOST)) return outgoingField(':authority', line.slice(HOST.length));
  const colon = line.indexOf(':');
  return outgoingField(line.slice(0, colon).toLowerCase(), line.slice(colon + 2));
}

/** The proxy passes trailers on, so it repeats what the client says about them. gRPC asks for it. */
function acceptsTrailers({ headers }: Request): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (
      name.length === 2 &&
      name.toLowerCase() === 'te' &&
      /(?:^|[,\s])trailers(?:$|[,;\s])/i.test(headers[i + 1] as string)
    )
      return true;
  }
  return false;
}
