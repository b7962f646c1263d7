import type { ReadSettings } from '../../check/asked-site.ts';
import { checkSite } from '../../check/check-site.ts';
import { type Finding, joinFindings } from '../../check/finding.ts';
import type { Model } from '../model/model.ts';
import { chosenProbes } from './chosen-probes.ts';
import { expectationsOf } from './expectations.ts';

/** Compares what nginx does with what the new settings do, for probes at each boundary of the configuration. */
export async function checkNginx(model: Model, settings: ReadSettings): Promise<Finding[]> {
  const findings: Finding[] = [];
  const site = settings.open();
  try {
    for (const { disk, expectations } of expectationsOf(model, chosenProbes(model))) {
      site.fill(disk);
      findings.push(...(await checkSite(expectations, site)));
    }
  } finally {
    site.close();
  }
  return joinFindings(findings);
}
