/** Changes of a query. */
export interface QueryChanges {
  /** Parameters that replace all parameters of the same name: `[name, value, …]`, not encoded. */
  readonly set?: readonly string[];
  /** Names of parameters to remove, not encoded. */
  readonly remove?: readonly string[];
}

/**
 * Makes a function that changes queries. All other parameters stay unchanged, byte for byte and in order.
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

/** The name of a parameter, decoded as application/x-www-form-urlencoded (WHATWG URL). */
function nameOf(parameter: string): string {
  const name = (parameter.split('=', 1)[0] as string).replaceAll('+', ' ');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
