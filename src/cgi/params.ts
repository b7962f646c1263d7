/** The variables of a request, by name, in latin-1. If a name comes twice, its last value counts. */
export type CgiParams = ReadonlyMap<string, string>;

/** Limits for the variables of one request. */
export interface CgiParamLimits {
  readonly bytesMax: number;
  readonly countMax: number;
}

/** Why the received bytes are not a valid request. */
export interface Malformed {
  readonly reason: string;
}

/** The variables of a request, and how many bytes they took. */
export interface ReadCgiParams {
  readonly variables: CgiParams;
  readonly length: number;
}

export function isMalformed(read: object): read is Malformed {
  return 'reason' in read;
}
