import type { AskedSite, Paths, ReadSettings } from '../../check/asked-site.ts';
import { type CheckedSite, checkSite, type MissedFile } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import { type Unchecked, uncheckedOf } from '../../check/unchecked.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { EmptyDisk, expectationsOn, withFiles } from './expectations.ts';

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
  const site = settings.open();
  try {
    const onEmpty = await checkSite(empty.expectations(model, chosenProbes(model)), site);
    const full = empty.filled();
    site.fill(full);
    const indexes: MissedFile[] = [];
    const onFull = await checkSite(
      expectationsOn(full, model, empty.asking, (missed) => indexes.push(missed)),
      site,
    );
    const asking = new Set(empty.asking);
    const unasked = ({ probe }: MissedFile): boolean => !asking.has(probe);
    const missed = [...onEmpty.missed.filter(unasked), ...onFull.missed, ...indexes];
    const onMore = await checkAgain(withFiles(full, missed), missed, model, site);
    const others = [...onEmpty.lastMissed, ...empty.shadowed(full)];
    const onOthers = await checkAgain(withFiles(new Map(), others), others, model, site);
    return {
      findings: joinFindings([onEmpty, onFull, onMore, onOthers].flatMap(({ findings }) => findings)),
      unchecked: uncheckedOf(onEmpty.unknown),
    };
  } finally {
    site.close();
  }
}

/** Compares for the probes that met these files, on a disk that has them. */
function checkAgain(disk: Paths, files: readonly MissedFile[], model: Model, site: AskedSite): Promise<CheckedSite> {
  site.fill(disk);
  const probes = files.map(({ probe }) => probe);
  return checkSite(expectationsOn(disk, model, probes), site);
}
