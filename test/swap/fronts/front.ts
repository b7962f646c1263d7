import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Program, startProgram } from '../../support/peers/program.ts';
import { accepts, eventually } from '../../support/socket-client.ts';
import type { Protocol } from '../cells.ts';
import type { Door } from '../conversation.ts';
import type { Doors } from '../suite/case.ts';
import { CLIENT } from '../suite/client.ts';

/** One way through a front: requests for `host` go to `socket`. */
export interface Passage {
  readonly host: string;
  readonly protocol: Protocol;
  readonly socket: string;
}

/** What a front is made of, beside its passages. */
export interface Ground {
  readonly directory: string;
  readonly port: number;
  readonly securePort: number;
  /** Files of PEM: the certificate, its key, and both in one. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** A front that runs. */
export interface RunningFront {
  /** The ways to a passage. */
  doors(host: string): Doors;
  output(): string;
  stop(): Promise<void>;
}

/** Starts a front that has all passages. */
export type StartFront = (
  ground: Omit<Ground, 'port' | 'securePort'>,
  passages: readonly Passage[],
) => Promise<RunningFront>;

/** Starts a front of others with the configuration that `write` makes; another program may be faster with a port, then it tries again. */
export async function startFront(
  ground: Omit<Ground, 'port' | 'securePort'>,
  name: string,
  args: readonly string[],
  write: (ground: Ground) => string,
): Promise<RunningFront> {
  const path = join(ground.directory, `${name}.conf`);
  let told = '';
  for (let tries = 0; tries < 3; tries += 1) {
    const placed = { ...ground, port: await freePort(), securePort: await freePort() };
    writeFileSync(path, write(placed));
    const running = startProgram(
      name,
      args.map((arg) => arg.replace('CONF', path)),
      { cwd: ground.directory },
    );
    if (await listens(running, placed.port))
      return { doors: doorsOf(placed), output: running.output, stop: running.stop };
    await running.stop();
    told = running.output();
  }
  throw new Error(`${name} does not start:\n${told}`);
}

async function listens(running: Program, port: number): Promise<boolean> {
  let ended = false;
  await eventually('the front listens', async () => {
    ended = running.process.exitCode !== null;
    return ended || accepts(port);
  });
  return !ended;
}

/** Doors of a front that speaks TLS itself. */
export function doorsOf({ port, securePort }: Pick<Ground, 'port' | 'securePort'>): (host: string) => Doors {
  return (host) => {
    const plain: Door = { port, host, secure: false, from: CLIENT, fields: [] };
    return { plain, secure: { ...plain, port: securePort, secure: true } };
  };
}
