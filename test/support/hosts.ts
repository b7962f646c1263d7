import { spawnSync } from 'node:child_process';
import type { Lifetime } from './lifetime.ts';
import { findProgram, missing, type Peer, type PeerOptions, startPeer } from './peer.ts';

/** For `{ skip: NO_HOSTS }`: false if this process can make network namespaces, otherwise the reason to skip. */
export const NO_HOSTS = missing('ip') || (canMakeNamespaces() ? false : 'network namespaces need root');

function canMakeNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const name = `vd-probe-${process.pid}`;
  const made = spawnSync(findProgram('ip') as string, ['netns', 'add', name]).status === 0;
  if (made) spawnSync(findProgram('ip') as string, ['netns', 'del', name]);
  return made;
}

/** A host of its own as far as the network is concerned: a network namespace with one address. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Starts a program on this host. */
  start(t: Lifetime, program: string, args: readonly string[], options?: PeerOptions): Promise<Peer>;
  /** Unplugs the cable of the host, or plugs it in again. */
  setCable(plugged: boolean): void;
}

/** A network of hosts. This process has the address `.1` in it. */
export class Network {
  readonly #prefix: string;
  readonly #bridge: string;
  readonly #names: string[] = [];

  constructor(t: Lifetime) {
    this.#prefix = `10.${200 + (process.pid % 50)}.${(process.pid >> 4) % 250}`;
    this.#bridge = `vd${process.pid}`;
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    t.after(() => this.#remove());
    ip('addr', 'add', `${this.#prefix}.1/24`, 'dev', this.#bridge);
    ip('link', 'set', this.#bridge, 'up');
  }

  /** Adds a host at the address whose last number is `number`. */
  host(number: number): Host {
    const name = `vd${process.pid}h${number}`;
    const cable = `v${process.pid}c${number}`;
    const address = `${this.#prefix}.${number}`;
    ip('netns', 'add', name);
    this.#names.push(name);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('link', 'set', cable, 'master', this.#bridge);
    ip('link', 'set', cable, 'up');
    for (const args of [
      ['addr', 'add', `${address}/24`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['link', 'set', 'lo', 'up'],
    ])
      ip('-n', name, ...args);
    return {
      name,
      address,
      start: (t, program, args, options) =>
        startPeer(t, 'ip', ['netns', 'exec', name, findProgram(program) ?? program, ...args], options),
      setCable: (plugged) => ip('link', 'set', cable, plugged ? 'up' : 'down'),
    };
  }

  #remove(): void {
    for (const name of this.#names) ip('netns', 'del', name);
    ip('link', 'del', this.#bridge);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(findProgram('ip') as string, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}
