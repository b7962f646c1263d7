import type { Paths, ReadSettings } from '../../check/asked-site.ts';
import { type CheckedSite, checkSite, type MissedFile } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import type { Probe } from '../../check/outcome.ts';
import { type Unchecked, uncheckedOf } from '../../check/unchecked.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { Claims } from './claims.ts';
import { EmptyDisk, expectationsOn, type NginxExpectation, withFiles } from './expectations.ts';

export interface Checked {
  /** What the new settings do otherwise, the most dangerous first. */
  readonly findings: readonly Finding[];
  /** What was not compared. */
  readonly unchecked: readonly Unchecked[];
}

/**
 * Compares what nginx does with what the new settings do, for probes at each boundary of the configuration, on four disks, so that a file cannot
 * be public where nginx refuses all requests:
 *
 * - an empty one;
 * - one that has the first path that nginx asks for with each probe;
 * - one that also has indexes, and what the new settings ask for first;
 * - one that only has what they ask for last, such as a page for all paths, and files in the places of directories.
 *
 * What the real disk has does not matter, because the configuration may be for another machine.
 */
export async function checkNginx(model: Model, settings: ReadSettings): Promise<Checked> {
  const empty = new EmptyDisk();
  const claims = new Claims(model);
  const site = settings.open();
  try {
    const onEmpty = await check(chosenProbes(model), (probes) => empty.expectations(model, probes));
    const full = empty.filled();
    site.fill(full);
    const indexes: MissedFile[] = [];
    const onFull = await check(empty.asking, (probes) => {
      return expectationsOn(full, model, probes, (missed) => indexes.push(missed));
    });
    const asking = new Set(empty.asking);
    const unasked = ({ probe, path }: MissedFile): boolean => !asking.has(probe) || !full.has(path);
    const missed = [...onEmpty.missed.filter(unasked), ...onFull.missed, ...indexes];
    const onMore = await checkAgain(withFiles(full, missed), missed);
    const others = [...onEmpty.lastMissed, ...empty.shadowed(full)];
    const onOthers = await checkAgain(withFiles(new Map(), others), others);
    return {
      findings: joinFindings([onEmpty, onFull, onMore, onOthers].flatMap(({ findings }) => findings)),
      unchecked: uncheckedOf(onEmpty.unknown),
    };
  } finally {
    site.close();
  }

  /** Compares for the probes, and for clients that claim something. */
  function check(
    probes: readonly Probe[],
    decide: (probes: readonly Probe[]) => Iterable<NginxExpectation>,
  ): Promise<CheckedSite> {
    return checkSite(claims.follow(probes, decide, site.route), site);
  }

  /** Compares for the probes that met these files, on a disk that has them. */
  function checkAgain(disk: Paths, files: readonly MissedFile[]): Promise<CheckedSite> {
    site.fill(disk);
    const met = files.map(({ probe }) => probe);
    return check(met, (probes) => expectationsOn(disk, model, probes));
  }
}
