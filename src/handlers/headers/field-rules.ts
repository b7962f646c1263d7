import type { HeaderList } from '../../http/message.ts';
import { PreparedResponse } from '../../http/prepared-response.ts';
import { encodeHeaders, HAS_SERVER, Response } from '../../http/response.ts';
import { changeResponse, responseField, responseFields, withoutTrailers } from '../../http/response-fields.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';

/** Changes of a message's fields. */
export interface FieldRules {
  /** Fields that replace all fields of the same name. */
  readonly set?: HeaderList;
  /** Fields that are added to those of the same name. */
  readonly add?: HeaderList;
  /** Fields that are added if there is none of the same name. */
  readonly defaults?: HeaderList;
  /** Names of fields to remove. If `Server` is among them, the connection does not add its own either. */
  readonly remove?: readonly string[];
}

/**
 * Makes a function that applies `rules` whose values are constant. If a response has none of the names in `set`, `defaults` and `remove`, this costs a search and a
 * concatenation. A prepared response is changed once, and the result is cached. `101 Switching Protocols` is not changed. Trailers obey the rules too.
 *
 * @throws ViaductError `HEADER_INVALID` as `Response.fromHeaders` does
 */
export function fieldChange(rules: FieldRules): (response: Response) => Response {
  const pattern = patternOf(rules);
  const fresh = newLines(rules);
  const existing = hides(rules) ? null : new WeakMap<PreparedResponse, PreparedResponse>();

  return function changeFields(response) {
    if (existing === null || !(response instanceof PreparedResponse)) return change(response, rules, pattern, fresh);
    let changed = existing.get(response);
    if (changed === undefined) {
      const { status, body } = response;
      changed = new PreparedResponse(status, responseFields(change(response, rules, pattern, fresh)), body);
      existing.set(response, changed);
    }
    return changed;
  };
}

/** Rules whose values are made for each response. */
export interface FilledRules<Source> {
  /** Their names, with any values. */
  readonly names: FieldRules;
  /** The field lines of `set`, `defaults` and `add`, each with its CRLF and without bytes that a field cannot have. */
  readonly lines: (response: Response, source: Source) => string;
  /** The same as rules. */
  readonly rules: (response: Response, source: Source) => FieldRules;
}

/** As `fieldChange`, for rules whose values are made for each response. */
export function filledFieldChange<Source>({
  names,
  lines: linesOf,
  rules,
}: FilledRules<Source>): (response: Response, source: Source) => Response {
  const pattern = patternOf(names);
  const fresh = newLines(names);
  const ruled = ruledNames(names);

  return function changeFields(response, source) {
    if (response instanceof UpgradeResponse) return response;
    if (pattern?.test(response.lines)) return changeLines(response, rules(response, source));
    const { status, reason, lines, contentLength, has } = response;
    const body = pattern === null ? response.body : withoutTrailers(response.body, ruled);
    return new Response(status, reason, lines + linesOf(response, source), contentLength, has | fresh.has, body);
  };
}

/** Applies `rules` that are for this response only. */
export function mergeFields(response: Response, rules: FieldRules): Response {
  return change(response, rules, patternOf(rules), newLines(rules));
}

type Lines = Pick<Response, 'lines' | 'has'>;

function change(response: Response, rules: FieldRules, pattern: RegExp | null, fresh: Lines): Response {
  if (response instanceof UpgradeResponse) return response;
  if (pattern?.test(response.lines)) return changeLines(response, rules);
  const { status, reason, lines, contentLength, has } = response;
  const body = pattern === null ? response.body : withoutTrailers(response.body, ruledNames(rules));
  return new Response(status, reason, lines + fresh.lines, contentLength, has | fresh.has, body);
}

/** Applies rules to a response that already has fields of these names. */
function changeLines(response: Response, { set = [], add = [], defaults = [], remove = [] }: FieldRules): Response {
  const missing: string[] = [];
  for (let i = 0; i < defaults.length; i += 2) {
    const name = defaults[i] as string;
    if (responseField(response, name.toLowerCase()) === null) missing.push(name, defaults[i + 1] as string);
  }
  const changed = changeResponse(response, { set, add: [...missing, ...add], remove });
  const { status, reason, lines, contentLength, has } = changed;
  const body = withoutTrailers(changed.body, fieldNames(missing));
  return new Response(status, reason, lines, contentLength, has | response.has, body);
}

/** The names of a header list, in lower case. */
export function fieldNames(headers: HeaderList): string[] {
  return headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
}

/** All new fields. If `Server` is removed, the result also tells the connection not to add one. */
function newLines({ set = [], add = [], defaults = [], remove = [] }: FieldRules): Lines {
  const { lines, has } = encodeHeaders([...set, ...defaults, ...add]);
  return { lines, has: hides({ remove }) ? has | HAS_SERVER : has };
}

function hides({ remove = [] }: FieldRules): boolean {
  return remove.some((name) => name.toLowerCase() === 'server');
}

/** The names of the fields that a response has only as the rules say. */
function ruledNames({ set = [], defaults = [], remove = [] }: FieldRules): string[] {
  return [...fieldNames(set), ...fieldNames(defaults), ...remove];
}

/** A pattern for the lines that the rules must check; null if there are none. */
function patternOf(rules: FieldRules): RegExp | null {
  const names = ruledNames(rules);
  if (names.length === 0) return null;
  const escaped = names.map((name) => name.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^(?:${escaped.join('|')}):`, 'im');
}
