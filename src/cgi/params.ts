/** What a front says of a request, by name, in latin-1. Of a name that comes twice the last value counts. */
export type Variables = ReadonlyMap<string, string>;

/** Bounds for what a front may say of one request. */
export interface VariableLimits {
  readonly bytesMax: number;
  readonly countMax: number;
}

/** Why what came is no request. */
export interface Malformed {
  readonly wrong: string;
}

/** A request's variables, and how many bytes they took. */
export interface ReadVariables {
  readonly variables: Variables;
  readonly length: number;
}

export function isMalformed(read: object): read is Malformed {
  return 'wrong' in read;
}
