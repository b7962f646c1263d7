import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lifetime, nestedLifetime } from './lifetime.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { APPS, startViaduct, type Viaduct } from './viaduct.ts';

/** A note of the application: it started or ended the request `id`. */
export interface Mark {
  readonly kind: 'start' | 'end';
  readonly id: string;
  readonly pid: number;
}

/** The program with the application `test/apps/marks.py`, and the marks of this application. */
export interface MarkedViaduct {
  readonly viaduct: Viaduct;
  readonly port: number;
  /** All marks so far, in the order in which the application made them. */
  marks(): Mark[];
  /** How often the application started each request. */
  starts(): Map<string, number>;
  /** Lets the requests of `/hold` end, from now on. */
  release(): void;
  stop(): Promise<void>;
}

/** Starts the program with `test/apps/marks.py`. The end of its lifetime releases the requests and stops the program. */
export async function startMarked(
  t: Lifetime,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MarkedViaduct> {
  const own = nestedLifetime(t);
  const path = join(temporaryDirectory(own), 'marks');
  const viaduct = await startViaduct(own, ['serve', 'marks:application', '--chdir', APPS, ...args], {
    env: { VIADUCT_ACCESS_LOG: 'off', ...env, MARKS: path },
  });
  const marks = () => {
    const lines = existsSync(path) ? readFileSync(path, 'latin1').split('\n').filter(Boolean) : [];
    return lines.map((line): Mark => {
      const [kind, id = '', pid] = line.split(' ');
      return { kind: kind === 'end' ? 'end' : 'start', id, pid: Number(pid) };
    });
  };
  const starts = () => {
    const counts = new Map<string, number>();
    for (const { kind, id } of marks()) if (kind === 'start') counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  };
  const release = () => writeFileSync(`${path}.release`, '');
  const stop = async () => {
    release();
    await viaduct.stop();
  };
  own.after(stop);
  return { viaduct, port: viaduct.port, marks, starts, release, stop };
}
