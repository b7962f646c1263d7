import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../../support/peer.ts';
import { eventually } from '../../support/socket-client.ts';
import { answers, CLIENT, type Place, takePlace } from '../addresses.ts';
import type { BackendName, Protocol } from '../cells.ts';
import type { Door } from '../conversation.ts';
import type { Doors } from '../suite/case.ts';

/** One way through a front: requests for `host` go to `place`. */
export interface Passage {
  readonly host: string;
  readonly protocol: Protocol;
  readonly place: Place;
  /** Some need something of a front. */
  readonly backend: BackendName;
}

/** What a front may use. */
export interface Files {
  readonly directory: string;
  /** Files of PEM: the certificate, its key, and both in one. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** What a configuration is written of, beside the passages. */
export interface Ground extends Files {
  readonly plain: Place;
  readonly secure: Place;
}

/** A front that runs. */
export interface RunningFront {
  /** The ways to a passage. */
  doors(host: string): Doors;
  stop(): Promise<void>;
}

/** Starts a front that has all passages. */
export type StartFront = (ground: Files, passages: readonly Passage[]) => Promise<RunningFront>;

/** Starts a front of others with the configuration that `write` makes. */
export async function startFront(
  files: Files,
  name: string,
  args: readonly string[],
  write: (ground: Ground) => string,
): Promise<RunningFront> {
  const path = join(files.directory, `${name}.conf`);
  const ground = { ...files, plain: takePlace(), secure: takePlace() };
  writeFileSync(path, write(ground));
  const passed = args.map((arg) => arg.replace('CONF', path));
  const running = startProgram(name, passed, { cwd: files.directory });
  try {
    await eventually(`${name} listens`, () => running.process.exitCode !== null || answers(ground.plain));
    if (running.process.exitCode !== null) throw new Error(`${name} ended`);
  } catch (error) {
    await running.stop();
    throw new Error(`${(error as Error).message}:\n${running.output()}${logOf(files.directory)}`);
  }
  return { doors: doorsOf(ground), stop: running.stop };
}

/** What a front wrote that cannot write to a pipe. */
function logOf(directory: string): string {
  const path = join(directory, 'error.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Doors of a front that speaks TLS itself. */
export function doorsOf({ plain, secure }: Pick<Ground, 'plain' | 'secure'>): (host: string) => Doors {
  return (host) => {
    const door: Door = { place: plain, host, secure: false, from: CLIENT, fields: [] };
    return { plain: door, secure: { ...door, place: secure, secure: true } };
  };
}
