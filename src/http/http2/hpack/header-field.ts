import { COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from '../../semantics/bytes.ts';

/** What a field costs in a table beyond its name and value, in octets (RFC 7541 section 4.1). */
const OVERHEAD = 32;

/**
 * A received field. Its strings hold one character for each octet. A field in a table is one object for all sections that refer to it, so its
 * faults are looked for once.
 */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Octets that it takes in a dynamic table and in a list: name + value + 32 (RFC 7541 section 4.1). */
  readonly size: number;
  /** Why HTTP/2 does not allow this name (RFC 9113 section 8.2.1); '' if it does. */
  readonly nameFault: string;
  /** Why HTTP/2 does not allow this name or value (RFC 9113 section 8.2.1); '' if it does. */
  readonly fault: string;
  /** The sender asks every recipient never to put it into a table (RFC 7541 section 7.1.3). */
  readonly neverIndexed: boolean;

  /** `nameFault` is given where it is known, so that nobody can have a long name examined again and again. */
  constructor(name: string, value: string, neverIndexed: boolean, nameFault: string = faultOfName(name)) {
    this.name = name;
    this.value = value;
    this.size = fieldSize(name, value);
    this.nameFault = nameFault;
    this.fault = nameFault || faultOfValue(value);
    this.neverIndexed = neverIndexed;
  }
}

/** Octets that a field takes in a dynamic table and in a list (RFC 7541 section 4.1). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + OVERHEAD;
}

/** Why `name` is not a field name of HTTP/2: an optional colon, then lower-case token characters; '' if it is one. */
function faultOfName(name: string): string {
  const start = name.charCodeAt(0) === COLON ? 1 : 0;
  if (name.length === start) return 'a header name is empty';
  for (let i = start; i < name.length; i += 1) {
    const byte = name.charCodeAt(i);
    if (TOKEN[byte] !== 1) return 'a header name contains an invalid character';
    if (byte >= 0x41 && byte <= 0x5a) return 'a header name contains an upper-case letter';
  }
  return '';
}

/** Why `value` is not a field value of HTTP/2; '' if it is one. */
function faultOfValue(value: string): string {
  const { length } = value;
  if (length === 0) return '';
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1))) {
    return 'a header value starts or ends with white space';
  }
  for (let i = 0; i < length; i += 1) {
    const byte = value.charCodeAt(i);
    if (VALUE[byte] !== 1) {
      return byte === CR || byte === LF
        ? 'a header value contains a line break'
        : 'a header value contains a control character';
    }
  }
  return '';
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
