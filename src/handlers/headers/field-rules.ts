import type { HeaderList } from '../../http/message.ts';
import { StandingResponse } from '../../http/prepared-response.ts';
import { encodeHeaders, HAS_SERVER, Response } from '../../http/response.ts';
import { changeResponse, responseField, responseFields } from '../../http/response-fields.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';

/** What is to become of a response's fields. */
export interface FieldRules {
  /** Replace all of their name. */
  readonly set?: HeaderList;
  /** Stand beside those of their name. */
  readonly add?: HeaderList;
  /** Are added where there is none of their name. */
  readonly defaults?: HeaderList;
  /** Names of fields that go; `Server` is one that the connection then does not add either. */
  readonly remove?: readonly string[];
}

/**
 * Makes a change of rules whose values are known. A response that has none of the names but for those in `add` costs a search and a
 * concatenation; a standing one is changed once and stands again. `101 Switching Protocols` stays as it is.
 *
 * @throws ViaductError `HEADER_INVALID` as `Response.fromHeaders` does.
 */
export function fieldChange(rules: FieldRules): (response: Response) => Response {
  const pattern = patternOf(rules);
  const fresh = newLines(rules);
  const standing = hides(rules) ? null : new WeakMap<StandingResponse, StandingResponse>();

  return function changeFields(response) {
    if (standing === null || !(response instanceof StandingResponse)) return change(response, rules, pattern, fresh);
    let changed = standing.get(response);
    if (changed === undefined) {
      const { status, body } = response;
      changed = new StandingResponse(status, responseFields(change(response, rules, pattern, fresh)), body);
      standing.set(response, changed);
    }
    return changed;
  };
}

/** `response` changed by `rules` that were made for it alone. */
export function mergeFields(response: Response, rules: FieldRules): Response {
  return change(response, rules, patternOf(rules), newLines(rules));
}

type Lines = Pick<Response, 'lines' | 'has'>;

function change(response: Response, rules: FieldRules, pattern: RegExp | null, fresh: Lines): Response {
  if (response instanceof UpgradeResponse) return response;
  if (pattern?.test(response.lines)) return changeLines(response, rules);
  const { status, reason, lines, contentLength, has, body } = response;
  return new Response(status, reason, lines + fresh.lines, contentLength, has | fresh.has, body);
}

/** Where fields of these names are there already. */
function changeLines(response: Response, { set = [], add = [], defaults = [], remove = [] }: FieldRules): Response {
  const missing: string[] = [];
  for (let i = 0; i < defaults.length; i += 2) {
    const name = defaults[i] as string;
    if (responseField(response, name.toLowerCase()) === null) missing.push(name, defaults[i + 1] as string);
  }
  const changed = changeResponse(response, { set, add: [...missing, ...add], remove });
  const { status, reason, lines, contentLength, has, body } = changed;
  return new Response(status, reason, lines, contentLength, has | response.has, body);
}

/** Names of a list in lower case. */
export function fieldNames(headers: HeaderList): string[] {
  return headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
}

/** All new fields; and of `Server`, when it goes, that it is not the connection's to add. */
function newLines({ set = [], add = [], defaults = [], remove = [] }: FieldRules): Lines {
  const { lines, has } = encodeHeaders([...set, ...defaults, ...add]);
  return { lines, has: hides({ remove }) ? has | HAS_SERVER : has };
}

function hides({ remove = [] }: FieldRules): boolean {
  return remove.some((name) => name.toLowerCase() === 'server');
}

/** Finds a line whose name the rules must look at; null when there is none. */
function patternOf({ set = [], defaults = [], remove = [] }: FieldRules): RegExp | null {
  const names = [...fieldNames(set), ...fieldNames(defaults), ...remove];
  if (names.length === 0) return null;
  const escaped = names.map((name) => name.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^(?:${escaped.join('|')}):`, 'im');
}
