export interface QueryChanges {
  /** Parameters that replace all of their name, `[name, value, …]`, not encoded. */
  readonly set?: readonly string[];
  /** Names of parameters that go, not encoded. */
  readonly remove?: readonly string[];
}

/**
 * Makes a change of queries. Parameters that are not named stay as they are, octet for octet and in order.
 */
export function queryChange({ set = [], remove = [] }: QueryChanges): (query: string) => string {
  const added: string[] = [];
  const gone = new Set(remove);
  for (let i = 0; i < set.length; i += 2) {
    gone.add(set[i] as string);
    added.push(`${encodeURIComponent(set[i] as string)}=${encodeURIComponent(set[i + 1] as string)}`);
  }

  return function changeQuery(query) {
    const kept = query.split('&').filter((parameter) => parameter !== '' && !gone.has(nameOf(parameter)));
    return [...kept, ...added].join('&');
  };
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
