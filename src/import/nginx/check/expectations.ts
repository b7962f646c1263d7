import type { Expectation } from '../../check/check-site.ts';
import type { Disk, PathKind, Probe } from '../../check/outcome.ts';
import type { Statement } from '../../import-report.ts';
import { decideFrom } from '../model/decide.ts';
import type { Level, Model, Server } from '../model/model.ts';

/** What a disk has. */
export type Paths = ReadonlyMap<string, Exclude<PathKind, null>>;

/** What nginx does with probes, on a disk. */
export interface Expectations {
  readonly disk: Paths;
  readonly expectations: readonly Expectation[];
}

/**
 * What nginx does with each probe on two disks: one that is empty, and one that has the first path that each probe asks for. What the real
 * disk has does not matter, because the configuration may be for another machine.
 */
export function expectationsOf(model: Model, probes: Iterable<Probe>): Expectations[] {
  const asked = new Map<string, Exclude<PathKind, null>>();
  const all = [...probes];
  const onEmpty = all.map((probe) => {
    let first: string | null = null;
    const empty: Disk = (path) => {
      first ??= path;
      return null;
    };
    const expectation = expectationOf(model, probe, empty);
    if (first !== null) asked.set(first, 'file');
    return { expectation, asks: first !== null };
  });
  const full = withParents(asked);
  const onFull = onEmpty.flatMap(({ expectation: { probe }, asks }) =>
    asks ? [expectationOf(model, probe, (path) => full.get(path) ?? null)] : [],
  );
  return [
    { disk: new Map(), expectations: onEmpty.map(({ expectation }) => expectation) },
    { disk: full, expectations: onFull },
  ];
}

/** The paths, and the directories above them. A path that others are in is a directory. */
function withParents(paths: Paths): Paths {
  const all = new Map(paths);
  for (const path of paths.keys()) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      all.set(path.slice(0, at), 'directory');
  }
  return all;
}

function expectationOf(model: Model, probe: Probe, disk: Disk): Expectation {
  const { outcome, from } = decideFrom(model, probe, disk);
  const { file, line, text } = from?.statement ?? NOWHERE;
  return { probe, outcome, from: { file, line }, part: partOf(from, text) };
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
