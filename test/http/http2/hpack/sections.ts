import type { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import type { HpackEncoder } from '../../../../src/http/http2/hpack/encoder.ts';
import { HpackEncoder as Encoder } from '../../../../src/http/http2/hpack/encoder.ts';
import type { HeaderField } from '../../../../src/http/http2/hpack/header-field.ts';
import { type OutgoingField, outgoingField } from '../../../../src/http/http2/hpack/outgoing-field.ts';

/** Octets from hexadecimal digits; blanks are for the reader. */
export function octets(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

/** Decodes a whole section. It stands between other octets, so that nobody reads beyond its ends unnoticed. */
export function decodeSection(
  decoder: HpackDecoder,
  section: Uint8Array,
  { listBytesMax = 2 ** 24, countMax = 2 ** 16 }: { readonly listBytesMax?: number; readonly countMax?: number } = {},
): { readonly fault: string | null; readonly fields: HeaderField[] } {
  const bytes = Buffer.concat([Buffer.of(0x82), section, Buffer.of(0x00)]);
  const fields: HeaderField[] = [];
  const fault = decoder.decode(bytes, 1, bytes.length - 1, fields, listBytesMax, countMax);
  return { fault, fields };
}

/** The lines `name: value` of a section that is right. */
export function decodeLines(decoder: HpackDecoder, section: Uint8Array): string[] {
  const { fault, fields } = decodeSection(decoder, section);
  if (fault !== null) throw new Error(fault);
  return fields.map(({ name, value }) => `${name}: ${value}`);
}

/** Encodes the fields into a block. */
export function encodeBlock(encoder: HpackEncoder, fields: readonly OutgoingField[], recurs = false): Buffer {
  const sizeMax = Encoder.sizeMax(fields);
  const out = Buffer.alloc(sizeMax + 1, 0xee);
  const end = encoder.encode(fields, out, 1, recurs);
  if (end > out.length) throw new Error(`the block takes ${end - 1} octets, not ${sizeMax}`);
  return out.subarray(1, end);
}

/** Fields to send, from lines `name: value`. */
export function outgoing(...lines: readonly string[]): OutgoingField[] {
  return lines.map((line) => {
    const colon = line.indexOf(':', 1);
    return outgoingField(line.slice(0, colon), line.slice(colon + 2));
  });
}
