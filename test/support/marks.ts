import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, startViaduct, type Viaduct } from './viaduct.ts';

export interface Mark {
  readonly kind: 'start' | 'end';
  readonly id: string;
  readonly pid: number;
}

/** A Viaduct with the application `test/apps/marks.py`, and what that noted. */
export class MarkedViaduct {
  readonly viaduct: Viaduct;
  readonly directory: string;

  private constructor(viaduct: Viaduct, directory: string) {
    this.viaduct = viaduct;
    this.directory = directory;
  }

  static async start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<MarkedViaduct> {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-marks-'));
    const viaduct = await startViaduct({
      args: ['serve', 'marks:application', '--chdir', join(ROOT, 'test/apps'), ...args],
      env: { VIADUCT_ACCESS_LOG: 'off', ...env, MARKS: join(directory, 'marks') },
    });
    return new MarkedViaduct(viaduct, directory);
  }

  get port(): number {
    return this.viaduct.port;
  }

  /** All marks so far, in the order in which they were made. */
  marks(): Mark[] {
    const path = join(this.directory, 'marks');
    const lines = existsSync(path) ? readFileSync(path, 'latin1').split('\n').filter(Boolean) : [];
    return lines.map((line) => {
      const [kind, id = '', pid] = line.split(' ');
      return { kind: kind === 'end' ? 'end' : 'start', id, pid: Number(pid) };
    });
  }

  /** How often each request was started. */
  starts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind, id } of this.marks()) if (kind === 'start') counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }

  /** Lets the requests of `/hold` end, now and later. */
  release(): void {
    writeFileSync(join(this.directory, 'marks.release'), '');
  }

  async stop(): Promise<void> {
    this.release();
    await this.viaduct.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
