import { lostLines } from '../../log/lost-lines.ts';
import type { Family } from '../../metrics/family.ts';
import { counter } from './gauges.ts';

/** What the logs of this process have lost. */
export function logFamilies(): Family[] {
  const lines = new Map<string, number>();
  for (const { log, output, lines: lost } of lostLines) {
    const key = `${log} ${output}`;
    lines.set(key, (lines.get(key) ?? 0) + lost);
  }
  return [
    counter(
      {
        name: 'viaduct_log_lines_dropped',
        help: 'Lines and entries that a log has lost, by what it goes to: stream, file, syslog or journal.',
      },
      [...lines].map(([key, lost]) => {
        const [log = '', output = ''] = key.split(' ');
        return [{ log, output }, lost];
      }),
    ),
  ];
}
