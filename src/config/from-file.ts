import { basename, dirname, join, relative } from 'node:path';
import { fileKey, type Setting } from './setting.ts';
import { type Given, noSuch, show, spelled, type Written } from './setting-input.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';
import { SITE_KEYS, type SiteEntry } from './site/keys.ts';
import { isTable } from './toml.ts';
import { readTypeScriptFile } from './typescript-file.ts';

/** What a file gives: settings, and what belongs to the site. */
export interface FileContent {
  readonly path: string;
  readonly given: readonly Given[];
  readonly site: ReadonlyMap<string, SiteEntry>;
}

/** Reads `viaduct.toml`, `viaduct.config.ts` or `pyproject.toml`. Messages name the file as seen from `cwd`. */
export async function fromFile(path: string, cwd: string, mistakes: string[]): Promise<FileContent> {
  const below = relative(cwd, path);
  const shown = below.startsWith('..') ? path : below;
  const file = MODULE.test(path) ? await readTypeScriptFile(path, shown) : readSettingsFile(path, shown);
  if ('mistake' in file) {
    mistakes.push(file.mistake);
    return { path, given: [], site: new Map() };
  }
  return contentOf(file, path, mistakes);
}

/** What a program gives instead of a file. Relative paths start at `base`. */
export function fromObject(value: object, base: string, mistakes: string[]): FileContent {
  const entries = Object.entries(value).filter(([, given]) => given !== undefined);
  return contentOf({ entries, place: (keys) => keys.join('.') }, join(base, 'options'), mistakes);
}

function contentOf(
  { entries, place }: Exclude<SettingsFile, { mistake: string }>,
  path: string,
  mistakes: string[],
): FileContent {
  const given: Given[] = [];
  const site = new Map<string, SiteEntry>();
  for (const [key, value] of entries) {
    if (SITE_KEYS.has(key)) {
      site.set(key, { value, place, base: dirname(path) });
      continue;
    }
    const origin = place([key]);
    const name = settingNames().find((candidate) => fileKey(candidate) === key);
    if (name === undefined || name === 'config') mistakes.push(unknownKey(key, origin, basename(path)));
    else given.push({ name, origin, values: valuesOf(name, value, place) });
  }
  return { path, given, site };
}

/** Settings files that are programs. */
const MODULE = /\.[cm]?[jt]s$/;

function unknownKey(key: string, origin: string, file: string): string {
  const what = `setting ${show(key)} (${origin})`;
  if (key === 'config') return `Cannot use ${what}: only --config and VIADUCT_CONFIG can name a settings file`;
  if (key === 'tool' && file !== 'pyproject.toml') {
    return `Cannot use ${what}: [tool.viaduct] belongs in pyproject.toml; here its keys stand alone`;
  }
  const known = spelled(fileKey, 'config');
  for (const siteKey of SITE_KEYS) known.set(siteKey, siteKey);
  return noSuch('setting', what, key, known);
}

/** The items of a list, which may be an array (for middleware also of tables) or, for mounts, a table of URLs and directories. */
function valuesOf(name: SettingName, value: unknown, place: (keys: readonly string[]) => string): Written[] {
  const key = fileKey(name);
  const setting: Setting = SETTINGS[name];
  const written = (raw: unknown): Written => ({ raw, shown: `${key} = ${show(raw)} (${place([key])})` });
  if (setting.kind !== 'list') return [written(value)];
  if (setting.item === 'middleware' && Array.isArray(value)) {
    return value.map((raw, index) => ({ raw, shown: `${key} = ${show(raw)} (${place([key, `${index}`])})` }));
  }
  if (Array.isArray(value)) return value.map(written);
  if (setting.item !== 'mount' || !isTable(value)) return [written(value)];
  return Object.entries(value).map(([url, directory]) => ({
    raw: [url, directory],
    shown: `${show(url)} = ${show(directory)} (${place([key, url])})`,
  }));
}
