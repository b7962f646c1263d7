import { nearest } from '../nearest.ts';
import { fileKey, type Setting } from './setting.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';

/** A value, or an item of a list, as the source has it. */
export interface RawValue {
  readonly raw: unknown;
  /** The value for messages: `--workers "many"`, `workers = "two" (viaduct.toml:1)`. */
  readonly shown: string;
}

/** The values that one source has for a setting. Only a list can have several values, or none. */
export interface SettingInput {
  readonly name: SettingName;
  readonly values: readonly RawValue[];
  /** `--workers`, `VIADUCT_WORKERS`, `viaduct.toml:3`. */
  readonly origin: string;
}

const SHOWN_MAX = 200;

/** A value for messages: text in quotes, at most 200 characters, without control characters. */
export function formatRawValue(raw: unknown): string {
  const text = typeof raw === 'number' ? String(raw) : asJson(raw);
  const plain = text.replace(/\p{C}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}…` : plain;
}

/** A settings module can also export values that JSON cannot represent. */
function asJson(raw: unknown): string {
  try {
    return JSON.stringify(raw) ?? String(raw);
  } catch {
    return String(raw);
  }
}

/**
 * "Cannot use …: there is no such setting", with the name that was probably meant: Viaduct's name for another server's setting, or the nearest name.
 *
 * @param shown the unknown name for the message
 * @param word the unknown name alone
 * @param known the known names, and how this source spells each of them
 */
export function unknownNameMessage(
  thing: 'setting' | 'flag',
  shown: string,
  word: string,
  known: ReadonlyMap<string, string>,
): string {
  const key = word.toLowerCase().replaceAll('-', '_');
  const ours = settingNames().find((name) => (SETTINGS[name] as Setting).alsoCalled?.split(' ').includes(key));
  const meant = known.get(ours === undefined ? (nearest(key, known.keys()) ?? '') : fileKey(ours));
  return `Cannot use ${shown}: there is no such ${thing}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** For `unknownNameMessage`: the spellings of all settings, except those that a source cannot have. */
export function spellings(spell: (name: SettingName) => string, ...excluded: SettingName[]): Map<string, string> {
  const names = settingNames().filter((name) => !excluded.includes(name));
  return new Map(names.map((name) => [fileKey(name), spell(name)]));
}
