import { statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { ViaductError } from '../errors.ts';
import { fromEnvironment } from './from-environment.ts';
import { type FileContent, fromFile, fromObject } from './from-file.ts';
import { type MiddlewareEntry, misplacedMiddleware } from './middleware.ts';
import { fileKey, type Setting } from './setting.ts';
import type { Given } from './setting-input.ts';
import { defaultSettings, SETTINGS, type SettingName, type Settings } from './settings.ts';
import type { SiteEntries } from './site/keys.ts';
import type { Site } from './site/schema.ts';
import { type Mount, parseValue, takes } from './value.ts';

export interface LoadedSettings {
  readonly settings: Settings;
  /** Where each value comes from that is not the default. */
  readonly origins: ReadonlyMap<SettingName, string>;
  /** Routes and the like; null when no file has any. */
  readonly site: Site | null;
  /** The same as it was written, for messages. */
  readonly siteEntries: SiteEntries;
  /** Absolute paths of all files that are read when they are there. Files say nothing that changes them. */
  readonly sources: readonly string[];
}

export interface LoadOptions {
  /** What the command line gives. */
  readonly flags: readonly Given[];
  /** What the command line itself had wrong: told together with the rest. */
  readonly mistakes: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Puts the settings together: flags over `VIADUCT_*` over `viaduct.toml` or `viaduct.config.ts` (or the file of `--config`) over `[tool.viaduct]` of
 * `pyproject.toml` over the defaults. Both files are looked for in the project that is named, then in `chdir`. A list is replaced
 * as a whole. Relative paths start at `chdir` in flags and variables, at the file in files.
 *
 * @throws ViaductError `SETTINGS` with every mistake, a line each, with where it stands and the nearest known name.
 */
export async function loadSettings({
  flags,
  mistakes: before,
  environment,
  cwd,
}: LoadOptions): Promise<LoadedSettings> {
  const mistakes = [...before];
  const direct = [...fromEnvironment(environment, mistakes), ...flags];
  const chdir = readAll(direct.filter(isChdir), cwd, mistakes);
  const base = textOf(chdir, 'chdir') ?? cwd;
  const others = readAll(
    direct.filter((given) => !isChdir(given)),
    base,
    mistakes,
  );
  const [own, projects] = sourcesOf(textOf(others, 'config'), textOf(others, 'target'), base);
  const files = [textOf(others, 'config') ?? own.find(isThere), projects.find(isThere)];
  const named = [...new Set(files)].filter((path) => path !== undefined);
  const contents = await Promise.all(named.reverse().map((path) => fromFile(path, cwd, mistakes)));
  const resolved = await resolve(contents, [...chdir, ...others], mistakes);
  return { ...resolved, sources: [...own, ...projects] };
}

/**
 * Reads the settings that a program gives as an object, with the keys of `viaduct.toml`, over the defaults. Nothing else is looked at.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function readSettings(value: object, base: string): Promise<LoadedSettings> {
  const mistakes: string[] = [];
  return resolve([fromObject(value, base, mistakes)], [], mistakes);
}

/** Reads what files give, puts `direct` over it, and tells all mistakes. */
async function resolve(
  contents: readonly FileContent[],
  direct: readonly Read[],
  mistakes: string[],
): Promise<LoadedSettings> {
  const fromFiles = contents.flatMap(({ path, given }) => readAll(given, dirname(path), mistakes));
  const site = new Map(contents.flatMap((content) => [...content.site]));
  const { readSite } = site.size === 0 ? { readSite: () => null } : await import('./site/read-site.ts');
  const read = readSite(site, mistakes);
  if (mistakes.length > 0) {
    throw new ViaductError('SETTINGS', mistakes.join('\n'), { advice: 'viaduct --help lists all settings.' });
  }
  const values: Record<string, unknown> = { ...defaultSettings() };
  const origins = new Map<SettingName, string>();
  for (const { name, value, origin } of [...fromFiles, ...direct]) {
    values[name] = value;
    origins.set(name, origin);
  }
  return {
    settings: values as unknown as Settings,
    origins,
    site: read,
    siteEntries: site,
    sources: [],
  };
}

/** A value that was read. */
interface Read {
  readonly name: SettingName;
  readonly value: unknown;
  readonly origin: string;
}

function isChdir({ name }: Given): boolean {
  return name === 'chdir';
}

function textOf(all: readonly Read[], name: 'chdir' | 'config' | 'target'): string | null {
  return (all.findLast((one) => one.name === name)?.value ?? null) as string | null;
}

function readAll(all: readonly Given[], base: string, mistakes: string[]): Read[] {
  const result: Read[] = [];
  for (const { name, values, origin } of all) {
    const setting: Setting = SETTINGS[name];
    const good: unknown[] = [];
    for (const { raw, shown } of values) {
      const parsed = parseValue(setting, raw, base);
      if ('value' in parsed) good.push(parsed.value);
      else mistakes.push(`Cannot use ${shown}: it ${parsed.wrong}`);
    }
    if (setting.kind === 'list' && values.length < setting.itemsMin) {
      mistakes.push(`Cannot use ${fileKey(name)} = [] (${origin}): it must have ${takes(setting)}`);
    }
    if (good.length < values.length) continue;
    if (setting.kind === 'list' && setting.item === 'middleware') {
      const misplaced = misplacedMiddleware(good as MiddlewareEntry[]);
      if (misplaced !== null) mistakes.push(`Cannot use ${values[misplaced.index]?.shown}: it ${misplaced.wrong}`);
    }
    if (setting.kind !== 'list') result.push({ name, origin, value: good[0] });
    else result.push({ name, origin, value: setting.item === 'mount' ? joined(good as Mount[]) : good });
  }
  return result;
}

/** Mounts of the same prefix become one. */
function joined(mounts: readonly Mount[]): Mount[] {
  const all = new Map<string, string[]>();
  for (const { urlPrefix, directories } of mounts) all.set(urlPrefix, [...(all.get(urlPrefix) ?? []), ...directories]);
  return [...all].map(([urlPrefix, directories]) => ({ urlPrefix, directories }));
}

/** The first that is there is read. */
const FILES = ['viaduct.toml', 'viaduct.config.ts', 'viaduct.config.mts', 'viaduct.config.js', 'viaduct.config.mjs'];

/** Where `viaduct.toml` and its like may stand, then where `pyproject.toml` may: of both the first that is there is read. */
function sourcesOf(config: string | null, target: string | null, base: string): [own: string[], projects: string[]] {
  const directories = [...directoryOf(target), base];
  const own = FILES.flatMap((name) => directories.map((directory) => join(directory, name)));
  return [config === null ? own : [config], directories.map((directory) => join(directory, 'pyproject.toml'))];
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function directoryOf(target: string | null): string[] {
  const found = target !== null && isAbsolute(target) ? statSync(target, { throwIfNoEntry: false }) : undefined;
  if (target === null || found === undefined) return [];
  return [found.isDirectory() ? target : dirname(target)];
}
