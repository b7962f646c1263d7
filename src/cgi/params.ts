/** The variables of a request, by name, in latin-1. */
export type CgiParams = ReadonlyMap<string, string>;

/**
 * Adds a variable. A field that the client sent several times comes several times from nginx and HAProxy, and its values are joined: by a
 * comma (RFC 9110 section 5.3), cookies by a semicolon (RFC 6265). Of any other variable the last value counts.
 */
export function addParam(variables: Map<string, string>, name: string, value: string): void {
  const before = name.startsWith('HTTP_') ? variables.get(name) : undefined;
  const separator = name === 'HTTP_COOKIE' ? '; ' : ', ';
  variables.set(name, before === undefined ? value : before + separator + value);
}

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
