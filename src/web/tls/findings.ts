/** What is wrong with certificates and keys, as sentences that name the file. All of it, so that one look is enough. */
export interface TlsFindings {
  /** With these it does not work. */
  readonly problems: string[];
  /** With these it works, and clients will complain. */
  readonly warnings: string[];
}

export function noFindings(): TlsFindings {
  return { problems: [], warnings: [] };
}
