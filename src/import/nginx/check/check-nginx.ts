import type { ReadSettings } from '../../check/asked-site.ts';
import { checkSite } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import { type Unchecked, uncheckedOf } from '../../check/unchecked.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { expectationsOf } from './expectations.ts';

export interface Checked {
  /** What the new settings do otherwise, the most dangerous first. */
  readonly findings: readonly Finding[];
  /** What was not compared. */
  readonly unchecked: readonly Unchecked[];
}

/** Compares what nginx does with what the new settings do, for probes at each boundary of the configuration. */
export async function checkNginx(model: Model, settings: ReadSettings): Promise<Checked> {
  const findings: Finding[] = [];
  const [onEmpty, onFull] = expectationsOf(model, chosenProbes(model));
  const site = settings.open();
  try {
    for (const { disk, expectations } of [onEmpty, onFull]) {
      site.fill(disk);
      findings.push(...(await checkSite(expectations, site)));
    }
  } finally {
    site.close();
  }
  return { findings: joinFindings(findings), unchecked: uncheckedOf(onEmpty.expectations) };
}
