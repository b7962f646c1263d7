/** Escapes quotes, backslashes and all bytes but visible ASCII as `\xHH`, like nginx and Apache. For fields in quotes. */
export function escapeField(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, byte);
}

/**
 * Escapes all characters that could move a terminal's cursor, change its colours or the order of the text, as `\xHH` or `\u{HHHH}`.
 * Newlines and tabs stay. For text that people read.
 */
export function escapeControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|\p{Bidi_Control}|[\u2028\u2029]/gu, (char) => {
    const code = char.codePointAt(0) as number;
    return code < 0x100 ? byte(char) : `\\u{${code.toString(16).toUpperCase()}}`;
  });
}

/** `object` as JSON in one line of ASCII. */
export function jsonLine(object: object): string {
  return `${asciiJson(object)}\n`;
}

/** `value` as JSON in ASCII. */
export function asciiJson(value: object | string): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `text` as a string of JSON, in ASCII. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : asciiJson(text);
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function byte(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
