import type { Family } from '../../metrics/family.ts';
import { VERSION } from '../../version.ts';
import { counter } from '../metrics/gauges.ts';
import type { RunningServer } from '../running-server.ts';

/** What is known of the whole program, however many server processes it has. */
export class ProgramMetrics {
  #succeeded = 0;
  #failed = 0;

  /** A reload is over. */
  reloaded(succeeded: boolean): void {
    if (succeeded) this.#succeeded += 1;
    else this.#failed += 1;
  }

  /** All metrics of the program and of `server`; null if the server counts nothing. */
  async of(server: Pick<RunningServer, 'metrics'>): Promise<readonly Family[] | null> {
    const families = await server.metrics();
    return families === null ? null : [...this.#families(), ...families];
  }

  #families(): Family[] {
    return [
      {
        name: 'viaduct_build',
        type: 'info',
        help: 'Versions of the program and of Node.',
        unit: '',
        samples: [{ suffix: '_info', labels: { version: VERSION, node_version: process.versions.node }, value: 1 }],
      },
      counter(
        {
          name: 'viaduct_reloads',
          help: 'Reloads by their outcome: success, or failure, after which the old release stays.',
        },
        [
          [{ outcome: 'success' }, this.#succeeded],
          [{ outcome: 'failure' }, this.#failed],
        ],
      ),
    ];
  }
}
