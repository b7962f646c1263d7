import { nearest } from './nearest.ts';
import { fileKey, type Setting } from './setting.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';

/** A value, or an item of a list, as it was written. */
export interface Written {
  readonly raw: unknown;
  /** For messages: `--workers "many"`, `workers = "two" (viaduct.toml:1)`. */
  readonly shown: string;
}

/** What one source gives for a setting. Only lists have several values, or none. */
export interface Given {
  readonly name: SettingName;
  readonly values: readonly Written[];
  /** `--workers`, `VIADUCT_WORKERS`, `viaduct.toml:3`. */
  readonly origin: string;
}

const SHOWN_MAX = 200;

/** The value as it stands in messages: in quotes when it is text, bounded, and without controls. */
export function show(raw: unknown): string {
  const text = typeof raw === 'number' ? String(raw) : asJson(raw);
  const plain = text.replace(/\p{C}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return plain.length > SHOWN_MAX ? `${plain.slice(0, SHOWN_MAX)}…` : plain;
}

/** What a settings module exports can also be what JSON has nothing for. */
function asJson(raw: unknown): string {
  try {
    return JSON.stringify(raw) ?? String(raw);
  } catch {
    return String(raw);
  }
}

/**
 * "Cannot use …: there is no such setting", with the name that was probably meant: ours for another server's, or the nearest.
 *
 * @param what what was written, as it stands in the message
 * @param word the name alone
 * @param known the names that there are, and how this source spells each
 */
export function noSuch(
  thing: 'setting' | 'flag',
  what: string,
  word: string,
  known: ReadonlyMap<string, string>,
): string {
  const key = word.toLowerCase().replaceAll('-', '_');
  const elsewhere = settingNames().find((name) => (SETTINGS[name] as Setting).alsoCalled?.split(' ').includes(key));
  const meant = known.get(elsewhere === undefined ? (nearest(key, known.keys()) ?? '') : fileKey(elsewhere));
  return `Cannot use ${what}: there is no such ${thing}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** For `noSuch`: all settings but those that a source cannot give. */
export function spelled(spell: (name: SettingName) => string, ...excluded: SettingName[]): Map<string, string> {
  const names = settingNames().filter((name) => !excluded.includes(name));
  return new Map(names.map((name) => [fileKey(name), spell(name)]));
}
