import { basename, dirname, join, relative } from 'node:path';
import { camelCase, fileKey, type Setting } from './setting.ts';
import { formatRawValue, type RawValue, type SettingInput, spellings, unknownNameMessage } from './setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';
import {
  type CamelCaseKeys,
  type KeySource,
  keyName,
  locationIn,
  type SiteEntry,
  type SiteReader,
  type UnknownKey,
} from './site-entries.ts';
import { isTable } from './toml.ts';
import { readTypeScriptFile } from './typescript-file.ts';
import { unknownKeyMessage } from './unknown-key.ts';

/** A settings file that was read, before its keys are sorted. */
export interface OpenedFile {
  readonly path: string;
  readonly file: SettingsFile;
}

/** The content of a settings file: settings, and the keys of the site. */
export interface FileContent {
  readonly path: string;
  readonly settings: readonly SettingInput[];
  readonly site: ReadonlyMap<string, SiteEntry>;
}

/** Reads `viaduct.toml`, `viaduct.config.ts` or `pyproject.toml`. Messages name the file relative to `cwd`. */
export async function openFile(path: string, cwd: string): Promise<OpenedFile> {
  const below = relative(cwd, path);
  const shown = below.startsWith('..') ? path : below;
  const file = MODULE.test(path) ? await readTypeScriptFile(path, shown) : readSettingsFile(path, shown);
  return { path, file };
}

/** Takes the settings that a program passes as an object with keys in `spelling`. Relative paths start at `base`. */
export function openObject(value: object, spelling: KeySource['spelling'], base: string): OpenedFile {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return { path: join(base, 'options'), file: { entries, source: { spelling, position: keyName, suffix: () => '' } } };
}

/** Whether a file has a key that is not the name of a setting. */
export function hasMoreThanSettings({ file }: OpenedFile): boolean {
  return 'entries' in file && file.entries.some(([key]) => settingOf(key, file.source) === undefined);
}

/** Sorts the keys of a file. Adds a line to `errors` for an unknown key. `reader` is null if all keys of all files are settings. */
export function contentOf<Site>(
  { path, file }: OpenedFile,
  reader: SiteReader<Site> | null,
  errors: string[],
): FileContent {
  const settings: SettingInput[] = [];
  const site = new Map<string, SiteEntry>();
  if ('error' in file) {
    errors.push(file.error);
    return { path, settings, site };
  }
  const { entries, source } = file;
  for (const [key, value] of entries) {
    const siteKey = [...(reader?.keys ?? [])].find((candidate) => keyIn(candidate, source) === key);
    if (reader !== null && siteKey !== undefined) {
      site.set(siteKey, { ...siteEntry(siteKey, value, source, reader.camelCase, errors), base: dirname(path) });
      continue;
    }
    const name = settingOf(key, source);
    if (name === undefined || name === 'config') {
      errors.push(unknownSetting(key, source, basename(path), reader?.keys ?? new Set()));
    } else if (isRange(name, value)) settings.push(...rangeOf(name, key, value, source, errors));
    else settings.push({ name, origin: source.position([key]), values: valuesOf(name, key, value, source) });
  }
  return { path, settings, site };
}

function siteEntry(
  key: string,
  written: unknown,
  source: KeySource,
  camelCaseKeys: CamelCaseKeys,
  errors: string[],
): Omit<SiteEntry, 'base'> {
  if (source.spelling === 'snake_case') {
    return { value: written, written, location: locationIn(source, (keys) => keys) };
  }
  const unknown: UnknownKey[] = [];
  const value = camelCaseKeys.toFileKeys(key, written, unknown);
  for (const { keys, known } of unknown) {
    errors.push(unknownKeyMessage(`${keyName(keys)}${source.suffix(keys)}`, String(keys.at(-1)), known));
  }
  return { value, written, location: locationIn(source, camelCaseKeys.fromFileKeys) };
}

function settingOf(key: string, source: KeySource): SettingName | undefined {
  return settingNames().find((candidate) => keyIn(fileKey(candidate), source) === key);
}

/** A key of TOML at the top of a file, as `source` spells it. */
function keyIn(key: string, { spelling }: KeySource): string {
  return spelling === 'camelCase' ? camelCase(key) : key;
}

/** Names of settings files that are modules. */
const MODULE = /\.[cm]?[jt]s$/;

function unknownSetting(key: string, source: KeySource, file: string, siteKeys: ReadonlySet<string>): string {
  const shown = `setting ${formatRawValue(key)}${source.suffix([key])}`;
  if (key === 'config') return `Cannot use ${shown}: only --config and VIADUCT_CONFIG can name a settings file`;
  if (key === 'tool' && file !== 'pyproject.toml' && source.spelling === 'snake_case') {
    return `Cannot use ${shown}: [tool.viaduct] belongs in pyproject.toml; here, write its keys at the top level`;
  }
  const known = spellings((name) => keyIn(fileKey(name), source), 'config');
  for (const siteKey of siteKeys) known.set(siteKey, keyIn(siteKey, source));
  return unknownNameMessage('setting', shown, fileKey(key), known);
}

/**
 * The value of a setting, or the items of a list. A list is an array. For middleware the array may contain tables; mounts may also be a table of URLs and
 * directories.
 *
 * @param key the name of the setting as `source` spells it
 */
function valuesOf(name: SettingName, key: string, value: unknown, source: KeySource): RawValue[] {
  const setting: Setting = SETTINGS[name];
  const rawValue = (raw: unknown, label = key, keys: readonly string[] = [key]): RawValue => ({
    raw,
    shown: `${label} = ${formatRawValue(raw)}${source.suffix(keys)}`,
  });
  if (setting.kind !== 'list') return [rawValue(value)];
  if (Array.isArray(value)) {
    return value.map((raw, index) => rawValue(raw, ...itemOf(key, index, setting.item, source)));
  }
  if (setting.item !== 'mount' || !isTable(value)) return [rawValue(value)];
  return Object.entries(value).map(([url, directory]) => ({
    raw: [url, directory],
    shown: `${formatRawValue(url)} = ${formatRawValue(directory)}${source.suffix([key, url])}`,
  }));
}

function isRange(name: SettingName, value: unknown): value is Readonly<Record<string, unknown>> {
  return minSettingOf(name) !== undefined && isTable(value);
}

/** The name of the setting that `min` of a table for the setting `name` means. */
function minSettingOf(name: SettingName): SettingName | undefined {
  const setting: Setting = SETTINGS[name];
  return setting.kind === 'integer' ? setting.minSetting : undefined;
}

/** The two settings of a table `{ min, max }`. */
function rangeOf(
  name: SettingName,
  key: string,
  table: Readonly<Record<string, unknown>>,
  source: KeySource,
  errors: string[],
): SettingInput[] {
  const names: Readonly<Record<string, SettingName | undefined>> = { min: minSettingOf(name), max: name };
  return Object.entries(table).flatMap(([end, raw]): SettingInput[] => {
    const keys = [key, end];
    const setting = Object.hasOwn(names, end) ? names[end] : undefined;
    if (setting !== undefined) {
      const shown = `${keyName(keys)} = ${formatRawValue(raw)}${source.suffix(keys)}`;
      return [{ name: setting, origin: source.position(keys), values: [{ raw, shown }] }];
    }
    errors.push(unknownKeyMessage(`${keyName(keys)}${source.suffix(keys)}`, end, Object.keys(names)));
    return [];
  });
}

/** The name of a list's item for messages, and the keys of its position. In TOML, items have lines of their own only if they are tables. */
function itemOf(key: string, index: number, item: string, { spelling }: KeySource): [label: string, keys: string[]] {
  if (spelling === 'camelCase') return [keyName([key, index]), [key, `${index}`]];
  return [key, item === 'middleware' ? [key, `${index}`] : [key]];
}
