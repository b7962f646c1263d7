const ALWAYS = '\\x00-\\x20\\x7f-\\xff"#%<>?\\\\^`{|}';
const IN_PATH = new RegExp(`[${ALWAYS}]`, 'g');
const IN_ARGUMENTS = new RegExp(`[${ALWAYS}&+;]`, 'g');

/** Encodes what a path cannot contain, as nginx does for backends. */
export function escapePath(bytes: string): string {
  return bytes.replace(IN_PATH, encoded);
}

/** Encodes what an argument of a query cannot contain, as nginx does for groups in redirects. */
export function escapeArgument(bytes: string): string {
  return bytes.replace(IN_ARGUMENTS, encoded);
}

function encoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Decodes the target of a redirect up to its question mark, as far as a field can carry the characters. A wrong escape is dropped. */
export function unescapeRedirect(bytes: string): string {
  let decoded = '';
  let at = 0;
  while (at < bytes.length) {
    const char = bytes[at] as string;
    if (char === '?') return decoded + bytes.slice(at);
    if (char !== '%') {
      decoded += char;
      at += 1;
      continue;
    }
    const digits = /^[0-9a-fA-F]{1,2}/.exec(bytes.slice(at + 1, at + 3))?.[0] ?? '';
    const code = Number.parseInt(digits, 16);
    if (digits.length === 0) decoded += bytes[at + 1] ?? '';
    else if (digits.length === 2) decoded += code > 0x25 && code < 0x7f ? String.fromCharCode(code) : `%${digits}`;
    at += digits.length === 0 ? 2 : 3;
    if (digits.length === 2 && code === 0x3f) return decoded + bytes.slice(at);
  }
  return decoded;
}
