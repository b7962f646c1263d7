/** Which log it is, and what its lines go to. */
export interface LostLines {
  readonly log: 'access' | 'server';
  readonly output: 'stream' | 'file' | 'syslog' | 'journal';
  lines: number;
}

const counts: LostLines[] = [];

/** Lines that the logs of this process have lost since their start. Only metrics read them. */
export const lostLines: readonly Readonly<LostLines>[] = counts;

/** A count of its own for a log, which starts with 0. */
export function countLostLines(log: LostLines['log'], output: LostLines['output']): LostLines {
  const lost = { log, output, lines: 0 };
  counts.push(lost);
  return lost;
}
