import { dirname } from 'node:path';
import type { Expectation, MissedFile } from '../../check/check-site.ts';
import type { Disk, PathKind, Probe } from '../../check/outcome.ts';
import type { Statement } from '../../import-report.ts';
import { decideFrom } from '../model/decide.ts';
import type { Level, Model, Server } from '../model/model.ts';

/** What a disk has. */
export type Paths = ReadonlyMap<string, Exclude<PathKind, null>>;

/** The disk that has these paths, and no others. */
export function diskOf(paths: Paths): Disk {
  return (path) => paths.get(path) ?? null;
}

/** What nginx does with a probe. */
export interface NginxExpectation extends Expectation {
  /** The first and the last level that the request reached; null if it reached none. */
  readonly levels: readonly [first: Level | null, last: Level | null];
}

/** A disk without any file. It remembers the first path that each probe asks for. */
export class EmptyDisk {
  /** The probes that asked. */
  readonly asking: Probe[] = [];
  /** The path of each of them. */
  readonly #paths: string[] = [];

  /** What nginx does with each probe on this disk. */
  *expectations(model: Model, probes: readonly Probe[]): Generator<NginxExpectation> {
    for (const probe of probes) {
      let first: string | null = null;
      const expectation = expectationOf(model, probe, (path) => {
        first ??= path;
        return null;
      });
      if (first !== null) {
        this.asking.push(probe);
        this.#paths.push(first);
      }
      if (expectation !== null) yield expectation;
    }
  }

  /** A disk that has all the paths that probes asked for. */
  filled(): Paths {
    return withParents(new Map(this.#paths.map((path) => [path, 'file'])));
  }

  /** Whether `disk` has any of the directories whose files probes asked for. */
  isOn(disk: Disk): boolean {
    return [...new Set(this.#paths.map((path) => dirname(path)))].some((path) => path !== '/' && disk(path) !== null);
  }

  /** The files that `disk` lacks because others are below their paths. Requests for directories mean no file. */
  shadowed(disk: Disk): MissedFile[] {
    return this.asking
      .map((probe, index) => ({ probe, path: this.#paths[index] as string }))
      .filter(({ probe, path }) => disk(path) === 'directory' && !/^[^?]*\/(?:\?|$)/.test(probe.target));
  }
}

/** What nginx does with each probe on a disk. `withoutIndex` gets the first index that nginx misses in the directory of a probe. */
export function* expectationsOn(
  disk: Disk,
  model: Model,
  probes: readonly Probe[],
  withoutIndex: (missed: MissedFile) => void = () => {},
): Generator<NginxExpectation> {
  for (const probe of probes) {
    let missing: string | null = null;
    const expectation = expectationOf(model, probe, (path) => {
      const kind = disk(path);
      if (kind === null) missing ??= path;
      return kind;
    });
    if (expectation !== null) yield expectation;
    else if (missing !== null && disk(dirname(missing)) === 'directory') withoutIndex({ probe, path: missing });
  }
}

/** The disk with further files. */
export function withFiles(disk: Paths, files: readonly MissedFile[]): Paths {
  return withParents(new Map([...files.map(({ path }) => [path, 'file'] as const), ...disk]));
}

/** The paths, and the directories above them. A path that others are in is a directory. */
function withParents(paths: Paths): Paths {
  const all = new Map(paths);
  for (const path of paths.keys()) for (const parent of parentsOf(path)) all.set(parent, 'directory');
  return all;
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) parents.push(path.slice(0, at));
  return parents;
}

/** Null where nginx refuses or redirects because the path is a directory: Viaduct has a rule of its own for directories. */
function expectationOf(model: Model, probe: Probe, disk: Disk): NginxExpectation | null {
  let isDirectory = false; // what nginx asked for last
  const watched: Disk = (path) => {
    const kind = disk(path);
    isDirectory = kind === 'directory';
    return kind;
  };
  const { outcome, from: level, last } = decideFrom(model, probe, watched);
  if (isDirectory && outcome.kind === 'answer' && (outcome.status === 403 || outcome.location !== null)) return null;
  const { file, line, text } = level?.statement ?? NOWHERE;
  return { probe, outcome, from: { file, line }, part: partOf(level, text), levels: [level, last] };
}

const NOWHERE: Statement = { file: 'listen', line: 0, text: 'the address' };

/** A server is named by its first name. */
function partOf(level: Level | null, text: string): string {
  const name = level !== null && isServer(level) ? level.name : '';
  return name === '' ? text : `${text} ${name}`;
}

function isServer(level: Level): level is Server {
  return 'names' in level;
}
