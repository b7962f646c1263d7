import { isIP } from 'node:net';
import type { ImportReport } from '../import-report.ts';
import type { Directive } from './tree.ts';

const WORDS: ReadonlySet<string> = new Set(['all', 'unix']);

/** The address, range or word of a directive in the form of address lists. Returns null, and reports it, if it is invalid. */
export function rangeOf(directive: Directive, report: ImportReport): string | null {
  const written = (directive.args[0] ?? '').replace(/^unix:$/, 'unix');
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(written) ?? [];
  const version = isIP(address);
  const isRange = version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
  if (isRange || WORDS.has(written)) return written;
  report.lost(directive, 'it is not an address or a range');
  return null;
}

/** Whether a text can be the name of a field. */
export function isFieldName(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** Fields that frame a message or belong to a connection. */
export function isFraming(name: string): boolean {
  return FRAMING.test(name);
}

const FRAMING =
  /^(?:connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|date|expect)$/i;

/** Whether a text can be the value of a field. */
export function isFieldValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** Whether a path is literal: it has no wildcards, no percent-encoding, no empty segments and no dot segments. */
export function isPlainPath(path: string): boolean {
  return /^\/[^*?#%\p{C}\s{}]*$/u.test(path) && !/\/\/|\/\.{1,2}(?:\/|$)/.test(path);
}

/** Whether a text with placeholders can be the target of a redirect or a rewrite. */
export function isTarget(text: string): boolean {
  const isAbsolute =
    /^(?:https?|\{scheme\}):\/\/(?:[^/{?]|\{host\}|\{hostname\}|\{map\.[\w-]+\})+(?:[/?]|\{uri\}|\{path\}|$)/.test(
      text,
    );
  const isPath = /^(?:\/(?![/\\])|\{(?:path|uri)\})/.test(text);
  const isMap = /^\{map\.[\w-]+\}$/.test(text);
  return (isAbsolute || isPath || isMap) && !/[^\x21-\x7e\x80-\uffff]/.test(text) && !/^[^?#]*\{query\}/.test(text);
}

/** A whole number up to `max`, or null. */
export function wholeOf(text: string | undefined, max: number): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Math.min(max, Number(text)) : null;
}
