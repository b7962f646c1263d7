import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackendConnection, startBackend, type TestBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import type { Lifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, PATIENCE_MS, within } from '../support/wait.ts';
import { answersOver, DOOR_NAMES, type DoorName } from './doors.ts';

/** How many there are before and after the faults. */
export const WORKERS = 2;

const CONFIGURATION = `
workers = ${WORKERS}
threads = 2
access_log = "off"
max_requests = 2000
max_requests_jitter = 2000
request_grace_ms = 300
header_timeout_ms = 1000
body_timeout_ms = 1000
write_timeout_ms = 1000
keep_alive_timeout_ms = 2000
body_bytes_max = "8MiB"

[[route]]
path = "/late/*"
request_timeout_ms = 300

[[route]]
path = "/files/*"
static = "files"

[[route]]
path = "/proxied/*"
proxy = "BACKEND"
`;

/** What a server process uses at one moment. */
export interface Footprint {
  /** Open file descriptors of the server process. */
  readonly descriptors: number;
  /** Resident memory of the server process, in bytes. */
  readonly memory: number;
  /** Processes below the server process that have exited and were not collected. */
  readonly zombies: number;
}

export interface TargetOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of the settings file, on top of those that all attacks use. */
  readonly settings?: string;
}

/** The program, with a door for each protocol. Attacks go through its doors; what it uses is counted from outside. */
export class Target {
  readonly directory: string;
  readonly viaduct: Viaduct;
  readonly #backend: TestBackend;
  #calm: Footprint = { descriptors: 0, memory: 0, zombies: 0 };

  private constructor(directory: string, viaduct: Viaduct, backend: TestBackend) {
    this.directory = directory;
    this.viaduct = viaduct;
    this.#backend = backend;
  }

  /** Starts the program, and waits until each door answers. */
  static async start(t: Lifetime, { env = {}, settings = '' }: TargetOptions = {}): Promise<Target> {
    const directory = temporaryDirectory(t);
    const backend = await startBackend(t, answerProxied);
    const files = join(directory, 'files');
    mkdirSync(files);
    writeFileSync(join(files, 'page.txt'), 'a page\n'.repeat(10_000));
    const application = readFileSync(join(ROOT, 'test/attack/application.py'));
    writeFileSync(join(directory, 'app.py'), application);
    writeFileSync(join(directory, 'viaduct.toml'), settings + CONFIGURATION.replace('BACKEND', backend.url));
    const viaduct = await startViaduct(
      t,
      ['serve', directory, '--tls-self-signed', '--control', join(directory, 'control.sock')],
      {
        env: { ...env, MARKS: join(directory, 'marks'), HOME: directory },
        listen: ['http://127.0.0.1:0', ...DOOR_NAMES.flatMap((name) => listenOn(name, directory))].join(','),
      },
    );
    const target = new Target(directory, viaduct, backend);
    await target.assertServes();
    target.#calm = target.footprint();
    return target;
  }

  /** The port of a TCP door, or the path of a Unix socket. */
  door(name: DoorName): number | string {
    return name === 'http1' || name === 'http2' ? this.viaduct.port : socketPath(name, this.directory);
  }

  /** Changes the number of workers. Resolves to false if the server does not, because its workers are changing or it has no descriptor left. */
  async scale(workers: number): Promise<boolean> {
    const answer = await ask(this.#control, `/scale?workers=${workers}`, { method: 'POST' }).catch(() => null);
    return answer?.status === 200;
  }

  get #control(): string {
    return join(this.directory, 'control.sock');
  }

  /** The connections that the backend got, with what came on each. */
  get backendConnections(): readonly BackendConnection[] {
    return this.#backend.connections;
  }

  footprint(): Footprint {
    const { pid } = this.viaduct;
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return {
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      memory: Number(resident) * 1024,
      zombies: [pid, ...this.zygotePids()].flatMap(childrenOf).filter(({ state }) => state === 'Z').length,
    };
  }

  /** How often the application started each token. */
  starts(): Map<string, number> {
    const path = join(this.directory, 'marks');
    const counts = new Map<string, number>();
    if (!existsSync(path)) return counts;
    for (const token of readFileSync(path, 'latin1').split('\n')) {
      if (token !== '') counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    return counts;
  }

  /** Process ids of the processes that fork workers. */
  zygotePids(): number[] {
    return childrenOf(this.viaduct.pid).map(({ pid }) => pid);
  }

  /** Process ids of the workers. */
  workerPids(): number[] {
    return this.zygotePids().flatMap((pid) => childrenOf(pid).map((child) => child.pid));
  }

  /** Throws unless each door answers an ordinary request. */
  async assertServes(): Promise<void> {
    for (const name of DOOR_NAMES) {
      await eventually(`the server answers over ${name}`, () => answersOver(name, this.door(name)));
    }
  }

  /**
   * Waits until an attack has left nothing behind: no connection, no zombie, no worker too few. Throws with the difference if something
   * stays, or if the server called something its own bug.
   */
  async settle(): Promise<Footprint> {
    await this.assertServes();
    await eventually('the number of workers is as before', () => this.scale(WORKERS));
    await eventually(`the descriptors return to ${this.#calm.descriptors}`, () => {
      // A kept connection to the backend may stay.
      return this.footprint().descriptors <= this.#calm.descriptors + 1;
    });
    await eventually('all zombies are collected', () => this.footprint().zombies === 0);
    await eventually('all workers run', () => this.workerPids().length >= WORKERS);
    const complaint = /^.*(?:bug in Viaduct|Unhandled|Uncaught|MaxListenersExceeded).*$/m.exec(this.viaduct.output());
    if (complaint !== null) throw new Error(`the server wrote: ${complaint[0]}`);
    return this.footprint();
  }

  /** Stops the program. Throws unless it exits with 0, although clients are connected. */
  async assertStops(): Promise<void> {
    const client = await SocketClient.open(this.door('http1'));
    process.kill(this.viaduct.pid, 'SIGTERM');
    const { code, signal } = await within(PATIENCE_MS, 'the end of the server', () => this.viaduct.exited);
    client.close();
    if (code !== 0) throw new Error(`the server exited with ${code ?? signal}`);
  }
}

function listenOn(name: DoorName, directory: string): string[] {
  if (name === 'http1' || name === 'http2') return [];
  const scheme = name === 'tls' ? 'https' : name === 'proxy-protocol' ? 'http' : name;
  const options = name === 'proxy-protocol' ? '?proxy_protocol=on' : '';
  return [`${scheme}://unix:${socketPath(name, directory)}${options}`];
}

function socketPath(name: DoorName, directory: string): string {
  return join(directory, `${name}.sock`);
}

function answerProxied(): string {
  return 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfine\n';
}

function childrenOf(parent: number): { readonly pid: number; readonly state: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = statOf(Number(name));
      return stat?.parent === parent ? [{ pid: Number(name), state: stat.state }] : [];
    });
}

/** State and parent of a process, null if it is gone (proc(5), `stat`). */
function statOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}
