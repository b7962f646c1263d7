import { ViaductError } from '../../errors.ts';
import type { Request } from '../../http/message.ts';
import { percentEncoded } from '../../placeholders/bytes.ts';
import { type Groups, NO_ANSWER, NO_GROUPS, type Placeholder } from '../../placeholders/placeholder.ts';
import type { Placeholders } from '../../placeholders/placeholders.ts';
import { parseTemplate } from '../../placeholders/template.ts';
import { routingPath } from '../../routing/routing-path.ts';

type UrlPart = 'authority' | 'path' | 'query';
type Piece = string | { readonly placeholder: Placeholder; readonly part: UrlPart };

/** Placeholders that can be a host. */
const HOSTS: ReadonlySet<string> = new Set(['host', 'hostname', 'port']);
/** A value of a map that can be in a host: the configuration says which values it has, but their groups may come from clients. */
const HOST_PART = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;
/** Placeholders that start with a slash. */
const WHOLE_PATH: ReadonlySet<string> = new Set(['path', 'uri']);
/** It may start another parameter of the query, for services that expect this. */
const RAW = 'uri.raw';
const ORIGIN = /^(?:https?|\{scheme\}):\/\//;

/**
 * A URL or a path with placeholders. The value of a placeholder cannot leave its part of the URL: a path cannot name another host or a directory above, and a value in
 * a query cannot start another parameter, unless it is `{uri.raw}`.
 */
export class UrlTemplate {
  readonly #isAbsolute: boolean;
  readonly #hasQuery: boolean;
  /** Whether it is a path of the same site, with or without a query. */
  readonly isPath: boolean;
  readonly #pieces: readonly Piece[];

  /**
   * `groups` are those of a pattern. `setting` is the name for messages.
   *
   * @throws ViaductError `SETTINGS` for an unknown or misplaced placeholder, for a text that starts neither with a slash nor with http:// or https://, and for
   * spaces and control characters
   */
  constructor(text: string, setting: string, placeholders: Placeholders, groups: Groups = NO_GROUPS) {
    const origin = ORIGIN.exec(text)?.[0] ?? '';
    this.#isAbsolute = origin !== '';
    this.isPath = origin === '' && !text.includes('#');
    const refuse = (state: string, advice: string) => {
      throw new ViaductError('SETTINGS', `Cannot use ${setting} ${JSON.stringify(text)}: ${state}`, { advice });
    };
    if (/[^\x21-\x7e\x80-\uffff]/.test(text))
      refuse('it contains a space or a control character', 'Write %20 for a space.');
    if (!this.#isAbsolute && !/^(?:\/(?![/\\])|\{(?:path|uri)\})/.test(text)) {
      refuse('it is neither a path nor a URL', 'Start with one slash, or with http:// or https://.');
    }
    const pieces: Piece[] = [];
    let part: UrlPart = this.#isAbsolute ? 'authority' : 'path';
    let hasQuery = false;
    for (const piece of parseTemplate(text.slice(origin.length), placeholders, { setting, groups })) {
      if (typeof piece === 'string') {
        part = partAfter(part, piece);
        hasQuery ||= part === 'query';
        pieces.push(encodeLiteral(piece));
        continue;
      }
      const { name } = piece;
      if (part === 'authority' && WHOLE_PATH.has(name)) part = 'path';
      if (part === 'authority' && !HOSTS.has(name) && piece.map === undefined) {
        refuse(`{${name}} would be part of the host name`, 'Put a slash between the host and the placeholder.');
      }
      if (part === 'path' && name === RAW) refuse(`{${RAW}} is in the path`, 'Write {uri}.');
      if (part === 'path' && name === 'query') refuse('{query} is in the path', 'Write ?{query}.');
      pieces.push({ placeholder: piece, part });
      if (name === 'uri' && part === 'path') {
        hasQuery = true;
        part = 'query';
      }
    }
    this.#hasQuery = hasQuery;
    const scheme = parseTemplate(origin, placeholders, { setting });
    this.#pieces = [
      ...scheme.map((piece): Piece => (typeof piece === 'string' ? piece : { placeholder: piece, part: 'authority' })),
      ...pieces,
    ];
  }

  /**
   * The URL for `request`, without a final `&`. Null if it needs a host and the request has none or a map has none for it, and if a value would
   * lead to a directory above.
   * `shown` is the request whose path `{path}` and `{uri}` have.
   */
  fill(request: Request, groups: readonly string[], shown: Request): string | null {
    let url = '';
    let isChecked = true;
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') {
        url += piece;
        continue;
      }
      const { part, placeholder } = piece;
      const value = placeholder.value(WHOLE_PATH.has(placeholder.name) ? shown : request, NO_ANSWER, groups);
      if (part === 'authority' && (placeholder.map === undefined ? value === '' : !HOST_PART.test(value))) return null;
      // Also a group of a path without such a segment can be one: `^/file(.*)$` finds `..` in /file...
      if (part === 'path' && !WHOLE_PATH.has(placeholder.name)) isChecked = false;
      url += encode(value, placeholder, part);
    }
    if (!isChecked && leadsAbove(url)) return null;
    if (this.#hasQuery && url.endsWith('&')) url = url.slice(0, -1);
    // A browser takes //host as another site, and a capture may start with a slash.
    return this.#isAbsolute ? url : url.replace(/^\/+/, '/');
  }
}

function partAfter(part: UrlPart, literal: string): UrlPart {
  if (part !== 'query' && /[?#]/.test(literal)) return 'query';
  return part === 'authority' && literal.includes('/') ? 'path' : part;
}

function encodeLiteral(text: string): string {
  return text.replace(/[^\x21-\x7e]+|[\\]/g, (characters) => encodeURIComponent(characters));
}

/** Characters that would end their part of the URL are encoded, and all that no URL has. */
function encode(value: string, { name, isEncoded }: Placeholder, part: UrlPart): string {
  if (part === 'authority') return value;
  if (part === 'query' && name === 'query') return value;
  if (part === 'query' && name === 'uri') return encodeURIComponent(value);
  if (part === 'query' && name === RAW) return value.replace(/[^\x21-\x7e]|#/g, percentEncoded);
  if (part === 'path' && name === 'uri') return value.replaceAll('\\', '%5C');
  const outside = isEncoded
    ? part === 'path'
      ? /[^\x21-\x7e]|[\\?#]/g
      : /[^\x21-\x7e]|[&=+;#\\]/g
    : part === 'path'
      ? /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g
      : /[^A-Za-z0-9\-._~!$'()*,:@/]/g;
  return value.replace(outside, percentEncoded);
}

/** Whether the path of `url` has a segment `.` or `..`, percent-encoded or not. */
function leadsAbove(url: string): boolean {
  const path = url.replace(/^https?:\/\/[^/]*/, '').replace(/[?#].*$/s, '');
  return routingPath(path) === null;
}
