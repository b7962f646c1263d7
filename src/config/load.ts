import { ViaductError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { environmentName, fileKey, SETTINGS, type SettingName, type Settings, settingNames } from './settings.ts';
import { findSettingsFiles, readSettingsFile } from './settings-file.ts';
import { parseValue, type Raw } from './value.ts';

/** A value that somebody gave, and where. */
export interface Given {
  readonly name: SettingName;
  readonly raw: Raw;
  /** For messages: `--workers`, `VIADUCT_WORKERS`, `viaduct.toml:3`. */
  readonly origin: string;
  /** What relative paths count from. */
  readonly base: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** Where each value that is not the default comes from. */
  readonly origins: ReadonlyMap<SettingName, string>;
}

/**
 * Puts the settings together: flags over `VIADUCT_*` over `viaduct.toml` (or the file of `--config`) over `[tool.viaduct]` of
 * `pyproject.toml` over the defaults.
 *
 * @throws ViaductError `SETTINGS` or `USAGE` with every mistake, a line each, with where it stands and the nearest known name.
 */
export function loadSettings(options: {
  readonly flags: readonly Given[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where `viaduct.toml` and `pyproject.toml` are looked for. */
  readonly directory: string;
  readonly configFile: string | null;
  readonly cwd: string;
}): LoadedSettings {
  const mistakes: string[] = [];
  const given: Given[] = [];
  const files = options.configFile === null ? findSettingsFiles(options.directory) : [options.configFile];
  for (const path of files.reverse()) given.push(...fromFile(path, mistakes));
  given.push(...fromEnvironment(options.environment, options.cwd, mistakes), ...options.flags);
  const values = new Map<SettingName, unknown>(settingNames().map((name) => [name, SETTINGS[name].default]));
  const origins = new Map<SettingName, string>();
  for (const { name, raw, origin, base } of given) {
    const parsed = parseValue(SETTINGS[name], raw, base);
    if ('wanted' in parsed) mistakes.push(`Cannot use ${describe(origin, name, raw)}: it must be ${parsed.wanted}`);
    else {
      values.set(name, parsed.value);
      origins.set(name, origin);
    }
  }
  if (mistakes.length > 0) throw new ViaductError('SETTINGS', mistakes.join('\n'));
  return { settings: Object.fromEntries(values) as unknown as Settings, origins };
}

function fromFile(path: string, mistakes: string[]): Given[] {
  const { entries, directory } = readSettingsFile(path);
  const names = settingNames();
  return entries.flatMap(({ key, value, origin }) => {
    const name = names.find((candidate) => fileKey(candidate) === key);
    if (name !== undefined) return [{ name, raw: value, origin, base: directory }];
    mistakes.push(unknown(`setting "${key}" (${origin})`, key, names.map(fileKey)));
    return [];
  });
}

function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  cwd: string,
  mistakes: string[],
): Given[] {
  const names = settingNames();
  return Object.entries(environment).flatMap(([variable, raw]) => {
    if (!variable.startsWith('VIADUCT_') || raw === undefined || raw === '') return [];
    const name = names.find((candidate) => environmentName(candidate) === variable);
    if (name !== undefined) return [{ name, raw, origin: variable, base: cwd }];
    mistakes.push(unknown(`variable ${variable}`, variable, names.map(environmentName)));
    return [];
  });
}

/** "Cannot use … : there is no such setting", with the name that was probably meant. */
export function unknown(what: string, written: string, names: readonly string[]): string {
  const near = nearest(written, names);
  return `Cannot use ${what}: there is no such setting${near === null ? '' : `; did you mean ${near}?`}`;
}

function describe(origin: string, name: SettingName, raw: Raw): string {
  const text = typeof raw === 'string' ? `"${raw}"` : JSON.stringify(raw);
  if (origin.startsWith('--')) return `${origin} ${text}`;
  if (origin.startsWith('VIADUCT_')) return `${origin}=${text}`;
  return `${fileKey(name)} = ${text} (${origin})`;
}
