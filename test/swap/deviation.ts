import type { BackendName, Framework, FrontEndName, Protocol } from './cells.ts';

/** A known difference of a server, or of a pair of servers. A missing property stands for all. */
export interface Deviation {
  readonly frontEnd?: FrontEndName | readonly FrontEndName[];
  readonly backend?: BackendName | readonly BackendName[];
  readonly protocol?: Protocol | readonly Protocol[];
  readonly framework?: Framework | readonly Framework[];
  /** The names of the cases of the suite. */
  readonly case: string | readonly string[];
  /** The outcome of the case in the words of the suite, or several possible outcomes. */
  readonly outcome: string | readonly string[];
  /** The outcome does not always happen. */
  readonly sometimes?: true;
  /** The reason, for the page. */
  readonly reason: string;
}
