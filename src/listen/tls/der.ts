/** The part of ASN.1's distinguished encoding (X.690) that a certificate needs. Each function returns one encoded value. */

const SEQUENCE = 0x30;
const SET = 0x31;

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return value(SEQUENCE, ...items);
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return value(SET, ...items);
}

/** `bytes` is the magnitude of the number, most significant byte first. The encoded number is never negative. */
export function positiveInteger(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  return (digits[0] as number) < 0x80 ? value(0x02, digits) : value(0x02, Uint8Array.of(0), digits);
}

/** `dotted` has the form `1.2.840.10045.4.3.2`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return value(0x06, Uint8Array.from([40 * first + second, ...others].flatMap(base128)));
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let higher = number >>> 7; higher > 0; higher >>>= 7) digits.unshift((higher & 0x7f) | 0x80);
  return digits;
}

export function truth(): Buffer {
  return value(0x01, Uint8Array.of(0xff));
}

export function utf8String(text: string): Buffer {
  return value(0x0c, Buffer.from(text));
}

export function octetString(content: Uint8Array): Buffer {
  return value(0x04, content);
}

/** `unusedBits` is the number of unused bits at the end of the last byte. */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return value(0x03, Uint8Array.of(unusedBits), content);
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+|[^\dZ]/g, '');
  return date.getUTCFullYear() < 2050 ? value(0x17, Buffer.from(digits.slice(2))) : value(0x18, Buffer.from(digits));
}

/** A value with a context-specific tag: constructed for encoded values, primitive for bytes. */
export function tagged(number: number, kind: 'constructed' | 'primitive', content: Uint8Array): Buffer {
  return value((kind === 'constructed' ? 0xa0 : 0x80) | number, content);
}

function value(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Uint8Array.from([tag, ...lengthBytes(length)]), ...content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let higher = length; higher > 0; higher >>>= 8) bytes.unshift(higher & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
