import type { ReadSettings } from '../../check/asked-site.ts';
import { checkSite } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import { type Unchecked, uncheckedOf } from '../../check/unchecked.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { EmptyDisk, expectationsOn } from './expectations.ts';

export interface Checked {
  /** What the new settings do otherwise, the most dangerous first. */
  readonly findings: readonly Finding[];
  /** What was not compared. */
  readonly unchecked: readonly Unchecked[];
}

/**
 * Compares what nginx does with what the new settings do, for probes at each boundary of the configuration, on two disks: one that is empty, and
 * one that has the first path that each probe asks for. What the real disk has does not matter, because the configuration may be for another
 * machine.
 */
export async function checkNginx(model: Model, settings: ReadSettings): Promise<Checked> {
  const empty = new EmptyDisk();
  const site = settings.open();
  try {
    const onEmpty = await checkSite(empty.expectations(model, chosenProbes(model)), site);
    const full = empty.filled();
    site.fill(full);
    const onFull = await checkSite(expectationsOn(full, model, empty.asking), site);
    return {
      findings: joinFindings([...onEmpty.findings, ...onFull.findings]),
      unchecked: uncheckedOf(onEmpty.unknown),
    };
  } finally {
    site.close();
  }
}
