import { fieldKind, HAS_CONTROL, HAS_DATE, HAS_SERVER, SPECIAL_NAMES } from './response.ts';
import { COLON, CR, LF, TOKEN, VALUE } from './semantics/bytes.ts';

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
    facts = areUsual(lines, contentLength) ? { lines, contentLength, has: 0 } : readLines(lines);
    if (facts === null) return -1;
    if (length < checked.length) checked[length] = facts;
  }
  return facts.contentLength === contentLength ? facts.has : -1;
}

/** Lines without special fields: what nearly all applications send, if it is not for one Content-Length. */
const PLAIN_LINES = `(?:(?!${SPECIAL_NAMES.map(startOf).join('|')})[!#$%&'*+\\-.^_\`|~0-9A-Za-z]+:[\\t\\x20-\\x7e\\x80-\\xff]*\\r\\n)*`;
const WITHOUT_LENGTH = new RegExp(`^${PLAIN_LINES}$`);
const WITH_LENGTH = new RegExp(`^${PLAIN_LINES}${startOf('content-length')} *(\\d{1,15})\\r\\n${PLAIN_LINES}$`);

/** A pattern for the start of a line with this name. Alternatives for each letter are quicker than a pattern that ignores case. */
function startOf(name: string): string {
  const letters = name.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
  return name.endsWith('-') ? letters : `${letters}:`;
}

/** Whether the lines are valid, have no special fields and this Content-Length. One pattern is quicker than `readLines`. */
function areUsual(lines: string, contentLength: number): boolean {
  if (contentLength < 0) return WITHOUT_LENGTH.test(lines);
  const match = WITH_LENGTH.exec(lines);
  return match !== null && Number(match[1]) === contentLength;
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
    const kind = fieldKind(lines.slice(start, nameEnd));
    if (kind === 'hop-by-hop') return null;
    if (kind === 'content-length') {
      const value = lines.slice(nameEnd + 1, at).trim();
      if (contentLength >= 0 || !/^\d{1,15}$/.test(value)) return null;
      contentLength = Number(value);
    } else if (kind === 'date') has |= HAS_DATE;
    else if (kind === 'server') has |= HAS_SERVER;
    else if (kind === 'control') has |= HAS_CONTROL;
    at += 2;
  }
  return { lines, contentLength, has };
}
