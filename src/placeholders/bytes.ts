/** The values of placeholders are bytes, each as one latin-1 character, because fields (headers) and percent-encoded paths are bytes, too. */

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of bytes in UTF-8. Bytes that are not UTF-8 become U+FFFD. */
export function textOf(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The bytes that a percent-encoded text stands for. A `%` without two hexadecimal digits stays as it is. */
export function percentDecoded(text: string): string {
  return text.includes('%')
    ? text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** One byte, percent-encoded. */
export function percentEncoded(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `bytes` as the value of a field: a byte that no field may have, such as a line break, is percent-encoded (RFC 9110 section 5.5). */
export function fieldValue(bytes: string): string {
  return FIELD.test(bytes) ? bytes : bytes.replace(/[^\t\x20-\x7e\x80-\xff]/g, percentEncoded);
}

const ASCII = /^[\t\x20-\x7e]*$/;
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/;
