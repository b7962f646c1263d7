import type { HeaderList } from '../http/message.ts';
import { encodeHeaders, HAS_SERVER, Response } from '../http/response.ts';
import { changeResponse, responseField } from '../http/response-fields.ts';
import { UpgradeResponse } from '../http/upgrade-response.ts';

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
 * concatenation. `101 Switching Protocols` stays as it is.
 *
 * @throws ViaductError `HEADER_INVALID` as `Response.fromHeaders` does.
 */
export function fieldChange(rules: FieldRules): (response: Response) => Response {
  const pattern = namesOf(rules);
  const { lines, has } = newLines(rules);
  const hides = hidden(rules);

  return function changeFields(response) {
    if (response instanceof UpgradeResponse) return response;
    if (pattern?.test(response.lines)) return mergeFields(response, rules);
    const { status, reason, contentLength, body } = response;
    return new Response(status, reason, response.lines + lines, contentLength, response.has | has | hides, body);
  };
}

/** `response` changed by `rules` that were made for it alone. */
export function mergeFields(response: Response, rules: FieldRules): Response {
  if (response instanceof UpgradeResponse) return response;
  const { set = [], add = [], defaults = [], remove = [] } = rules;
  const missing: string[] = [];
  for (let i = 0; i < defaults.length; i += 2) {
    const name = defaults[i] as string;
    if (responseField(response, name.toLowerCase()) === null) missing.push(name, defaults[i + 1] as string);
  }
  const { status, reason, lines, contentLength, has, body } = changeResponse(response, {
    set,
    add: [...missing, ...add],
    remove,
  });
  return new Response(status, reason, lines, contentLength, has | response.has | hidden(rules), body);
}

/** Names of a list in lower case. */
export function fieldNames(headers: HeaderList): string[] {
  return headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
}

function newLines({ set = [], add = [], defaults = [] }: FieldRules): { lines: string; has: number } {
  return encodeHeaders([...set, ...defaults, ...add]);
}

/** Finds a line whose name the rules must look at; null when there is none. */
function namesOf({ set = [], defaults = [], remove = [] }: FieldRules): RegExp | null {
  const names = [...fieldNames(set), ...fieldNames(defaults), ...remove];
  if (names.length === 0) return null;
  const escaped = names.map((name) => name.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^(?:${escaped.join('|')}):`, 'im');
}

function hidden({ remove = [] }: FieldRules): number {
  return remove.some((name) => name.toLowerCase() === 'server') ? HAS_SERVER : 0;
}
