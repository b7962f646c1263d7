import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from '../support/peer.ts';
import { type Target, WORKERS } from './target.ts';

const LIBFAKETIME = readdirSync('/usr/lib')
  .map((name) => join('/usr/lib', name, 'faketime/libfaketimeMT.so.1'))
  .find(existsSync);
const IS_ROOT = process.getuid?.() === 0;

/** Something that goes wrong on a machine. */
export interface Fault {
  readonly name: string;
  /** False if this machine can have it, otherwise the reason why it cannot. */
  readonly skip: string | false;
  /** Makes it happen. Returns the function that ends it, after some time; null if it ends by itself. */
  inject(target: Target, random: () => number): (() => void) | null;
}

/** The directories and the environment in which faults can happen. Made before the server starts. */
export class FaultyMachine {
  readonly #directory: string;
  readonly env: Readonly<Record<string, string>>;

  /** `release` undoes the mount. */
  constructor(directory: string, t: { after(release: () => void): void }) {
    this.#directory = directory;
    mkdirSync(this.temporary);
    if (IS_ROOT) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', this.temporary]);
      t.after(() => {
        execFileSync('umount', ['-l', this.temporary]);
      });
    }
    writeFileSync(this.clock, '+0s');
    // With libfaketime 0.9.10, time.sleep of Python raises EINVAL now and then, of which workers die.
    const python = join(directory, 'python');
    writeFileSync(python, '#!/bin/sh\nunset LD_PRELOAD\nexec python3 "$@"\n', { mode: 0o755 });
    const clock = {
      VIADUCT_PYTHON: python,
      LD_PRELOAD: LIBFAKETIME ?? '',
      FAKETIME_TIMESTAMP_FILE: this.clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_ONLY_CMDS: 'node',
    };
    this.env = {
      TMPDIR: this.temporary,
      XDG_RUNTIME_DIR: this.temporary,
      ...(LIBFAKETIME === undefined ? {} : clock),
    };
  }

  get temporary(): string {
    return join(this.#directory, 'temporary');
  }

  get clock(): string {
    return join(this.#directory, 'clock');
  }

  /** All faults. */
  faults(): readonly Fault[] {
    return [
      {
        name: 'worker killed',
        skip: false,
        inject: (target, random) => signalWorker(target, random, 'SIGKILL'),
      },
      {
        name: 'worker stopped',
        skip: false,
        inject: (target, random) => signalWorker(target, random, 'SIGSTOP'),
      },
      {
        name: 'zygote killed',
        skip: false,
        inject: (target) => {
          for (const pid of target.zygotePids()) kill(pid, 'SIGKILL');
          return null;
        },
      },
      {
        name: 'reload',
        skip: false,
        inject: ({ viaduct }) => {
          kill(viaduct.pid, 'SIGHUP');
          return null;
        },
      },
      {
        name: 'workers scaled',
        skip: false,
        inject: (target, random) => {
          void target.scale(1 + Math.floor(random() * 5));
          return () => void target.scale(WORKERS);
        },
      },
      {
        name: 'disk full',
        skip: IS_ROOT ? false : 'only root can mount a small file system',
        inject: () => {
          const path = join(this.temporary, 'filler');
          const { bavail, bsize } = statfsSync(this.temporary);
          try {
            writeFileSync(path, Buffer.alloc(bavail * bsize));
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error; // the server wrote meanwhile
          }
          return () => rmSync(path);
        },
      },
      {
        name: 'temporary files removed',
        skip: false,
        inject: () => {
          for (const name of readdirSync(this.temporary)) rmSync(join(this.temporary, name), { recursive: true });
          return null;
        },
      },
      {
        name: 'descriptors used up',
        skip: missing('prlimit'),
        inject: (target) => {
          const { pid } = target.viaduct;
          const limits = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
          const limit = (soft: string) =>
            execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${soft}:${limits?.[2]}`]);
          limit(`${target.footprint().descriptors}`);
          return () => limit(`${limits?.[1]}`);
        },
      },
      {
        name: 'clock stepped',
        skip: LIBFAKETIME === undefined ? 'libfaketime is not installed' : false,
        inject: (_, random) => {
          writeFileSync(this.clock, `${random() < 0.5 ? '-' : '+'}${Math.floor(random() * 1e6)}s`);
          return () => writeFileSync(this.clock, '+0s');
        },
      },
    ];
  }
}

function signalWorker(target: Target, random: () => number, signal: 'SIGKILL' | 'SIGSTOP'): (() => void) | null {
  const pids = target.workerPids();
  const pid = pids[Math.floor(random() * pids.length)];
  if (pid === undefined) return null;
  kill(pid, signal);
  return signal === 'SIGSTOP' ? () => kill(pid, 'SIGCONT') : null;
}

/** Sends a signal to a process that may have ended meanwhile. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
