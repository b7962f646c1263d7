import { statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ViaductError } from '../errors.ts';
import { COMMAND_SETTINGS } from './command-settings.ts';
import { reversedRanges, unitProblems } from './file-rules.ts';
import { fromEnvironment, fromPlatform } from './from-environment.ts';
import { contentOf, hasMoreThanSettings, type OpenedFile, openFile, openObject } from './from-file.ts';
import { type MiddlewareEntry, misplacedMiddleware } from './middleware.ts';
import { fileKey, type Setting } from './setting.ts';
import type { SettingInput } from './setting-input.ts';
import { defaultSettings, SETTINGS, type SettingName, type Settings } from './settings.ts';
import type { SiteEntries, SiteReader } from './site-entries.ts';
import { type Mount, parseValue, takes } from './value.ts';

export interface LoadedSettings<Site> {
  readonly settings: Settings;
  /** The origin of each value that is not the default: `--workers`, `VIADUCT_WORKERS`, `viaduct.toml:3`. */
  readonly origins: ReadonlyMap<SettingName, string>;
  /** Routes, handlers, applications and TLS; null when no file has any of them. */
  readonly site: Site | null;
  /** The same as written in the files, for messages. */
  readonly siteEntries: SiteEntries;
  /** Absolute paths of all files that are read if they exist. The files themselves cannot change this list. */
  readonly sources: readonly string[];
}

export interface LoadOptions {
  /** Settings of the command line. */
  readonly flags: readonly SettingInput[];
  /** Errors of the command line itself, to report together with all others. */
  readonly errors: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Loads the settings from all sources: flags win over `VIADUCT_*`, then come `viaduct.toml` or `viaduct.config.ts` (or the file of `--config`), then
 * `[tool.viaduct]` of `pyproject.toml`, then the variables of `fromPlatform`, then the defaults. Both files are searched in the directory of the target, then in `chdir`. A list is replaced as a
 * whole. Relative paths start at `chdir` in flags and variables, and at the directory of the file in files.
 *
 * @param siteReader loads the reader for keys that are not settings; called only if a file has such a key
 * @throws ViaductError `SETTINGS` with all errors, one per line, each with its location and the nearest known name.
 */
export async function loadSettings<Site>(
  { flags, errors: flagErrors, environment, cwd }: LoadOptions,
  siteReader: () => Promise<SiteReader<Site>>,
): Promise<LoadedSettings<Site>> {
  const errors = [...flagErrors];
  const direct = [...fromEnvironment(environment, errors), ...flags];
  const chdir = readAll(direct.filter(isChdir), cwd, errors);
  const base = textOf(chdir, 'chdir') ?? cwd;
  const others = readAll(
    direct.filter((input) => !isChdir(input)),
    base,
    errors,
  );
  const [settingsFiles, projectFiles] = sourcesOf(textOf(others, 'config'), textOf(others, 'target'), base);
  const files = [textOf(others, 'config') ?? settingsFiles.find(exists), projectFiles.find(exists)];
  const named = [...new Set(files)].filter((path) => path !== undefined);
  const opened = await Promise.all(named.reverse().map((path) => openFile(path, cwd)));
  const resolved = await resolve(opened, [...chdir, ...others], siteReader, errors, environment);
  return { ...resolved, sources: [...settingsFiles, ...projectFiles] };
}

/**
 * Reads a parsed `viaduct.toml`. No file, flag or variable is read.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function readSettings<Site>(
  document: object,
  base: string,
  siteReader: () => Promise<SiteReader<Site>>,
): Promise<LoadedSettings<Site>> {
  return resolve([openObject(document, 'snake_case', base)], [], siteReader, []);
}

/**
 * Reads the options of a server inside a program: the keys of `viaduct.toml` in camelCase, except the settings that only the command takes. No file, flag
 * or variable is read.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function readOptions<Site>(
  options: object,
  base: string,
  siteReader: () => Promise<SiteReader<Site>>,
): Promise<LoadedSettings<Site>> {
  const errors = [...COMMAND_SETTINGS]
    .filter(([name]) => (options as Readonly<Record<string, unknown>>)[name] !== undefined)
    .map(([name, reason]) => `Cannot use setting "${name}": ${reason}`);
  return resolve([openObject(options, 'camelCase', base)], [], siteReader, errors);
}

/** Reads the settings of the files, lets those in `direct` win over them and those of the platform lose, and reports all errors. */
async function resolve<Site>(
  opened: readonly OpenedFile[],
  direct: readonly ReadSetting[],
  siteReader: () => Promise<SiteReader<Site>>,
  errors: string[],
  environment: LoadOptions['environment'] = {},
): Promise<LoadedSettings<Site>> {
  const reader = opened.some(hasMoreThanSettings) ? await siteReader() : null;
  const contents = opened.map((file) => contentOf(file, reader, errors));
  const fromFiles = contents.flatMap(({ path, settings }) => {
    const problems = unitProblems(settings);
    errors.push(...problems);
    return problems.length > 0 ? [] : readAll(settings, dirname(path), errors);
  });
  errors.push(...reversedRanges(fromFiles));
  const siteEntries = new Map(contents.flatMap((content) => [...content.site]));
  const site = reader === null || siteEntries.size === 0 ? null : reader.read(siteEntries, errors);
  const known = [...fromFiles, ...direct];
  const isDev = known.findLast(({ name }) => name === 'dev')?.value === true;
  const platform = fromPlatform(environment, isDev).filter((input) => !known.some(({ name }) => name === input.name));
  const all = [...readAll(platform, '', errors), ...known];
  if (errors.length > 0) {
    throw new ViaductError('SETTINGS', errors.join('\n'), { advice: 'viaduct --help lists all settings.' });
  }
  const values: Record<string, unknown> = { ...defaultSettings() };
  const origins = new Map<SettingName, string>();
  for (const { name, value, origin } of all) {
    values[name] = value;
    origins.set(name, origin);
  }
  return {
    settings: values as unknown as Settings,
    origins,
    site,
    siteEntries,
    sources: [],
  };
}

/** A setting whose value was read and is valid. */
interface ReadSetting {
  readonly name: SettingName;
  readonly value: unknown;
  readonly origin: string;
}

function isChdir({ name }: SettingInput): boolean {
  return name === 'chdir';
}

function textOf(settings: readonly ReadSetting[], name: 'chdir' | 'config' | 'target'): string | null {
  return (settings.findLast((setting) => setting.name === name)?.value ?? null) as string | null;
}

function readAll(inputs: readonly SettingInput[], base: string, errors: string[]): ReadSetting[] {
  const result: ReadSetting[] = [];
  for (const { name, values, origin } of inputs) {
    const setting: Setting = SETTINGS[name];
    const valid: unknown[] = [];
    for (const { raw, shown } of values) {
      const parsed = parseValue(setting, raw, base);
      if ('value' in parsed) valid.push(parsed.value);
      else errors.push(`Cannot use ${shown}: it ${parsed.problem}`);
    }
    if (setting.kind === 'list' && values.length < setting.itemsMin) {
      errors.push(`Cannot use ${fileKey(name)} = [] (${origin}): it must have ${takes(setting)}`);
    }
    if (valid.length < values.length) continue;
    if (setting.kind === 'list' && setting.item === 'middleware') {
      const misplaced = misplacedMiddleware(valid as MiddlewareEntry[]);
      if (misplaced !== null) errors.push(`Cannot use ${values[misplaced.index]?.shown}: it ${misplaced.problem}`);
    }
    if (setting.kind !== 'list') result.push({ name, origin, value: valid[0] });
    else result.push({ name, origin, value: setting.item === 'mount' ? mergeMounts(valid as Mount[]) : valid });
  }
  return result;
}

/** Mounts with the same prefix become one mount. */
function mergeMounts(mounts: readonly Mount[]): Mount[] {
  const all = new Map<string, string[]>();
  for (const { urlPrefix, directories } of mounts) all.set(urlPrefix, [...(all.get(urlPrefix) ?? []), ...directories]);
  return [...all].map(([urlPrefix, directories]) => ({ urlPrefix, directories }));
}

/** Names of settings files. The first file that exists is read. */
const FILES = ['viaduct.toml', 'viaduct.config.ts', 'viaduct.config.mts', 'viaduct.config.js', 'viaduct.config.mjs'];

/** Possible paths of the settings file, and of `pyproject.toml`. Of each list, the first file that exists is read. */
function sourcesOf(
  config: string | null,
  target: string | null,
  base: string,
): [settingsFiles: string[], projectFiles: string[]] {
  const directories = [...directoryOf(target), base];
  const settingsFiles = FILES.flatMap((name) => directories.map((directory) => join(directory, name)));
  return [
    config === null ? settingsFiles : [config],
    directories.map((directory) => join(directory, 'pyproject.toml')),
  ];
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function directoryOf(target: string | null): string[] {
  const stats = target !== null && isAbsolute(target) ? statSync(target, { throwIfNoEntry: false }) : undefined;
  if (target === null || stats === undefined) return [];
  return [stats.isDirectory() ? target : dirname(target)];
}
