import type { Paths } from '../../check/asked-site.ts';
import type { Expectation } from '../../check/check-site.ts';
import type { Disk, PathKind, Probe } from '../../check/outcome.ts';
import type { Statement } from '../../import-report.ts';
import { decideFrom } from '../model/decide.ts';
import type { Level, Model, Server } from '../model/model.ts';

/** What nginx does with probes, on a disk. */
export interface Expectations {
  readonly disk: Paths;
  readonly expectations: readonly Expectation[];
}

/**
 * What nginx does with each probe on two disks: one that is empty, and one that has the first path that each probe asks for. What the real
 * disk has does not matter, because the configuration may be for another machine.
 */
export function expectationsOf(
  model: Model,
  probes: readonly Probe[],
): readonly [empty: Expectations, full: Expectations] {
  const asked = new Map<string, Exclude<PathKind, null>>();
  const asking: Probe[] = [];
  const onEmpty = probes.map((probe) => {
    let first: string | null = null;
    const empty: Disk = (path) => {
      first ??= path;
      return null;
    };
    const expectation = expectationOf(model, probe, empty);
    if (first !== null) {
      asked.set(first, 'file');
      asking.push(probe);
    }
    return expectation;
  });
  const full = withParents(asked);
  const onFull = asking.map((probe) => expectationOf(model, probe, (path) => full.get(path) ?? null));
  return [
    { disk: new Map(), expectations: onEmpty.filter((one) => one !== null) },
    { disk: full, expectations: onFull.filter((one) => one !== null) },
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

/** Null where nginx refuses or redirects because the path is a directory: Viaduct has a rule of its own for directories. */
function expectationOf(model: Model, probe: Probe, disk: Disk): Expectation | null {
  let isDirectory = false;
  const watched: Disk = (path) => {
    const kind = disk(path);
    isDirectory ||= kind === 'directory';
    return kind;
  };
  const { outcome, from } = decideFrom(model, probe, watched);
  if (isDirectory && outcome.kind === 'answer' && (outcome.status === 403 || outcome.location !== null)) return null;
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
