import { ViaductError } from '../errors.ts';

export interface QueryChanges {
  /** Parameters that replace all of their name, `[name, value, …]`, not encoded. */
  readonly set?: readonly string[];
  /** Names of parameters that go, not encoded. */
  readonly remove?: readonly string[];
}

/**
 * Makes a change of queries. Parameters that are not named stay as they are, octet for octet and in order.
 *
 * @throws ViaductError `SETTINGS` for a name or value with half a character in it.
 */
export function queryChange({ set = [], remove = [] }: QueryChanges): (query: string) => string {
  const added: string[] = [];
  const gone = new Set(remove);
  for (let i = 0; i < set.length; i += 2) {
    gone.add(set[i] as string);
    added.push(`${encode(set[i] as string)}=${encode(set[i + 1] as string)}`);
  }

  return function changeQuery(query) {
    const kept = query.split('&').filter((parameter) => parameter !== '' && !gone.has(nameOf(parameter)));
    return [...kept, ...added].join('&');
  };
}

function encode(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  throw new ViaductError('SETTINGS', `Cannot set query parameter ${JSON.stringify(text)}: it is no Unicode text`);
}

/** Decoded as a form is (WHATWG URL, application/x-www-form-urlencoded). */
function nameOf(parameter: string): string {
  const name = (parameter.split('=', 1)[0] as string).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
