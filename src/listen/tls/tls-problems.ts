/** All problems with certificates and keys, as sentences that name the file. */
export interface TlsProblems {
  /** Errors: TLS cannot work with them. */
  readonly problems: string[];
  /** TLS works, but some clients will refuse the certificates. */
  readonly warnings: string[];
}

export function noTlsProblems(): TlsProblems {
  return { problems: [], warnings: [] };
}
