import { fileKey, type Setting } from './setting.ts';
import type { SettingInput } from './setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';
import { missingUnit } from './units.ts';

/** A valid value of a setting. */
export interface KnownValue {
  readonly name: SettingName;
  readonly value: unknown;
  readonly origin: string;
}

/** The errors of times that are texts without a unit. Flags and variables are always texts, so only files have this rule. */
export function unitProblems(inputs: readonly SettingInput[]): string[] {
  return inputs
    .filter(({ name }) => SETTINGS[name].kind === 'duration')
    .flatMap(({ values }) => values)
    .flatMap(({ raw, shown }) => {
      const problem = missingUnit(raw);
      return problem === null ? [] : [`Cannot use ${shown}: it ${problem}`];
    });
}

/** Errors of settings in files that are the smallest value of a range, and more than the largest. */
export function reversedRanges(known: readonly KnownValue[]): string[] {
  return settingNames().flatMap((name) => {
    const setting: Setting = SETTINGS[name];
    const max = known.findLast((one) => one.name === name);
    const minName = setting.kind === 'integer' ? setting.minSetting : undefined;
    const min = known.findLast((one) => one.name === minName);
    if (min === undefined || max === undefined || (min.value as number) <= (max.value as number)) return [];
    const shown = `${fileKey(min.name)} = ${min.value} (${min.origin})`;
    return [`Cannot use ${shown}: it is more than ${fileKey(name)} = ${max.value} (${max.origin})`];
  });
}
