/** Byte classes of RFC 9110 and RFC 9112: 1 where the byte belongs to the class. */
export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

/** tchar of a token (RFC 9110 section 5.6.2): methods and field names. */
export const TOKEN = table((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));

/** field-vchar, SP and HTAB (RFC 9110 section 5.5): everything but controls; obs-text is taken as it is. */
export const FIELD = table((byte) => byte === HTAB || (byte >= SP && byte !== 127));

/**
 * What a request-target may hold: visible ASCII without "#", because a fragment is never sent (RFC 9112 section 3.2). Browsers
 * send some characters unescaped that RFC 3986 would have escaped, so those pass.
 */
export const TARGET = table((byte) => byte > SP && byte < 127 && byte !== 35);

function table(belongs: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (belongs(byte) ? 1 : 0));
}
