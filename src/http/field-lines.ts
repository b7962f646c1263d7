import { COLON, CR, LF, TOKEN, VALUE } from './http1/bytes.ts';
import { fieldKind, HAS_CONTROL, HAS_DATE, HAS_SERVER, SPECIAL_NAMES } from './response.ts';

/** What a connection has to know about field lines. */
interface LineFacts {
  readonly lines: string;
  /** Value of the Content-Length line, -1 without that line. */
  readonly contentLength: number;
  /** The bits of `Response.has` for fields among the lines. */
  readonly has: number;
}

/** Lines that were checked before, at the place of their length: most responses repeat the lines of earlier ones. */
const checked: (LineFacts | null)[] = new Array(1024).fill(null);

/**
 * Checks field lines that another program encoded, by the rules of `Response.fromHeaders`. `contentLength` is what this
 * program says about the lines: the value of their Content-Length, -1 without it. Returns the bits of `Response.has`, or
 * -1 for lines that must not leave the server.
 */
export function checkLines(lines: string, contentLength: number): number {
  const { length } = lines;
  if (length === 0) return contentLength < 0 ? 0 : -1;
  let facts = length < checked.length ? (checked[length] as LineFacts | null) : null;
  if (facts === null || facts.lines !== lines) {
    facts = readLines(lines);
    if (facts === null) return -1;
    if (length < checked.length) checked[length] = facts;
  }
  return facts.contentLength === contentLength ? facts.has : -1;
}

function readLines(lines: string): LineFacts | null {
  const { length } = lines;
  let contentLength = -1;
  let has = 0;
  for (let at = 0; at < length; ) {
    const start = at;
    while (TOKEN[lines.charCodeAt(at)] === 1) at += 1;
    const nameEnd = at;
    if (nameEnd === start || lines.charCodeAt(at) !== COLON) return null;
    at += 1;
    while (VALUE[lines.charCodeAt(at)] === 1) at += 1;
    if (lines.charCodeAt(at) !== CR || lines.charCodeAt(at + 1) !== LF) return null;
    if (maybeSpecial(lines, start, nameEnd)) {
      const kind = fieldKind(lines.slice(start, nameEnd));
      if (kind === 'hop-by-hop') return null;
      if (kind === 'content-length') {
        const value = lines.slice(nameEnd + 1, at).trim();
        if (contentLength >= 0 || !/^\d{1,15}$/.test(value)) return null;
        contentLength = Number(value);
      } else if (kind === 'date') has |= HAS_DATE;
      else if (kind === 'server') has |= HAS_SERVER;
      else if (kind === 'control') has |= HAS_CONTROL;
    }
    at += 2;
  }
  return { lines, contentLength, has };
}

/** For the first and the third letter of a name, the lengths of the special names with these letters, as bits. */
const specialLengths = new Uint32Array(1024);
for (const name of SPECIAL_NAMES) {
  const letters = lettersOf(`${name}:`, 0);
  specialLengths[letters] = name.endsWith('-') ? -1 : (specialLengths[letters] as number) | (1 << name.length);
}

/** Whether the name from `start` to `end` may be special. This is quick, and false for nearly all other names. */
function maybeSpecial(lines: string, start: number, end: number): boolean {
  return ((specialLengths[lettersOf(lines, start)] as number) & (1 << (end - start))) !== 0;
}

/** The same number for both cases of a letter. */
function lettersOf(text: string, at: number): number {
  return ((text.charCodeAt(at) & 31) << 5) | (text.charCodeAt(at + 2) & 31);
}
