import { combineFamilies, type ProcessFamilies, remainingFamilies } from '../../metrics/combine.ts';
import type { Family } from '../../metrics/family.ts';
import { askAll } from './ask-processes.ts';
import type { ServerProcess } from './server-process.ts';

/**
 * The metrics of all server processes as those of one server. The counters of a process that has ended remain in the sums, as they were at the
 * last scrape before its end: what it counted afterwards is lost with it.
 */
export class ClusterMetrics {
  /** What each process reported last. */
  readonly #last = new Map<ServerProcess, readonly Family[]>();
  #ended: readonly Family[] = [];
  readonly #over = new WeakSet<ServerProcess>();

  /** `slots` are the server processes by their number; null for one that is to start. The result is null if none of them counts. */
  async families(slots: readonly (ServerProcess | null)[]): Promise<readonly Family[] | null> {
    const found = await Promise.all(
      slots.map(async (serverProcess, index) => {
        if (serverProcess === null) return null;
        const [answer] = await askAll([serverProcess], { about: 'metrics' });
        if (answer != null && serverProcess.state !== 'gone') this.#last.set(serverProcess, answer);
        const families = answer ?? remainingFamilies(this.#last.get(serverProcess) ?? []);
        return { process: `${index + 1}`, families, serverProcess };
      }),
    );
    // What a process counted that has ended since it answered is among that of the others.
    const processes: readonly ProcessFamilies[] = found
      .filter((one) => one !== null)
      .filter(({ serverProcess }) => !this.#over.has(serverProcess));
    if (processes.every(({ families }) => families.length === 0) && this.#ended.length === 0) return null;
    return combineFamilies([...processes, { process: '', families: this.#ended }]);
  }

  /** A server process has ended. */
  ended(serverProcess: ServerProcess): void {
    const families = remainingFamilies(this.#last.get(serverProcess) ?? []);
    this.#last.delete(serverProcess);
    this.#over.add(serverProcess);
    this.#ended = combineFamilies([
      { process: '', families: this.#ended },
      { process: '', families },
    ]);
  }
}
