export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const LESS = 0x3c;
export const GREATER = 0x3e;
export const QUESTION = 0x3f;
export const BACKSLASH = 0x5c;
export const QUOTE = 0x22;

/** 1 for tchar (RFC 9110 section 5.6.2), the characters of methods and field names. */
export const TOKEN = table((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));

/** 1 for the characters of a field value (RFC 9110 section 5.5): visible characters, obs-text, SP and HTAB. */
export const VALUE = table((byte) => byte === HTAB || (byte >= SP && byte !== 0x7f));

/** 1 for the characters of a host's registered name, except percent-encoded octets (RFC 3986 section 3.2.2). */
export const REG_NAME = table((byte) => /[A-Za-z0-9\-._~!$&'()*+,;=]/.test(String.fromCharCode(byte)));

/**
 * 1 for the characters of a target, 2 for `%`, `?`, `\`, `<` and `>`, which need a closer look. The table allows more than RFC 3986:
 * browsers do not encode `[ ] { } | ^` and the backtick, command-line clients do not encode the quote, `<` and `>`. It never allows
 * `#`, control characters or 8-bit bytes.
 */
export const TARGET = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ([PERCENT, QUESTION, BACKSLASH, LESS, GREATER].includes(byte)) return 2;
  return byte > SP && byte < 0x7f && byte !== HASH ? 1 : 0;
});

/** The value of a hexadecimal digit, -1 for all other bytes. */
export const HEX = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(digit) ? Number.parseInt(digit, 16) : -1;
});

function table(includes: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (includes(byte) ? 1 : 0));
}
