import type { ReadSettings } from '../../check/asked-site.ts';
import { type CheckedSite, checkSite, type MissedFile } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import type { Disk, Probe } from '../../check/outcome.ts';
import { type Unchecked, uncheckedOf } from '../../check/unchecked.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { Claims } from './claims.ts';
import { diskOf, EmptyDisk, expectationsOn, type NginxExpectation, withFiles } from './expectations.ts';

export interface Checked {
  /** What the new settings do otherwise, the most dangerous first. */
  readonly findings: readonly Finding[];
  /** What was not compared. */
  readonly unchecked: readonly Unchecked[];
}

/**
 * Compares what nginx does with what the new settings do, for probes at each boundary of the configuration, on several disks, so that a file
 * cannot be public where nginx refuses all requests:
 *
 * - an empty one;
 * - one that has the first path that nginx asks for with each probe;
 * - one that also has indexes, and what the new settings ask for first;
 * - one that only has what they ask for last, such as a page for all paths, and files in the places of directories;
 * - `real`, the disk of this machine, if it has directories of the configuration. It may be for another machine.
 */
export async function checkNginx(model: Model, settings: ReadSettings, real: Disk): Promise<Checked> {
  const empty = new EmptyDisk();
  const claims = new Claims(model);
  const site = settings.open();
  try {
    const chosen = chosenProbes(model);
    const onEmpty = await check(chosen, (probes) => empty.expectations(model, probes));
    const full = empty.filled();
    const indexes: MissedFile[] = [];
    const onFull = await checkOn(diskOf(full), empty.asking, (missed) => indexes.push(missed));
    const asking = new Set(empty.asking);
    const unasked = onEmpty.missed.filter(({ probe }) => !asking.has(probe));
    const elsewhere = onEmpty.missed.filter(({ probe, path }) => asking.has(probe) && !full.has(path));
    const missed = [...unasked, ...elsewhere, ...onFull.missed, ...indexes];
    const onMore = await checkOn(diskOf(withFiles(full, missed)), probesOf(missed));
    const others = [...onEmpty.lastMissed, ...empty.shadowed(diskOf(full))];
    const onOthers = await checkOn(diskOf(withFiles(new Map(), others)), probesOf(others));
    const onReal = empty.isOn(real) ? [await checkOn(real, chosen)] : [];
    return {
      findings: joinFindings([onEmpty, onFull, onMore, onOthers, ...onReal].flatMap(({ findings }) => findings)),
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

  function checkOn(
    disk: Disk,
    probes: readonly Probe[],
    withoutIndex?: (missed: MissedFile) => void,
  ): Promise<CheckedSite> {
    site.fill(disk);
    return check(probes, (some) => expectationsOn(disk, model, some, withoutIndex));
  }
}

function probesOf(files: readonly MissedFile[]): Probe[] {
  return files.map(({ probe }) => probe);
}
