import { basename, relative } from 'node:path';
import { type Given, noSuch, show, spelled, type Written } from './given.ts';
import { fileKey, type Setting } from './setting.ts';
import { SETTINGS, type SettingName, settingNames } from './settings.ts';
import { readSettingsFile } from './settings-file.ts';
import { isTable } from './toml.ts';

/** Reads the settings of `viaduct.toml` or `pyproject.toml`. Messages name the file as seen from `cwd`. */
export function fromFile(path: string, cwd: string, mistakes: string[]): Given[] {
  const below = relative(cwd, path);
  const file = readSettingsFile(path, below.startsWith('..') ? path : below);
  if ('mistake' in file) {
    mistakes.push(file.mistake);
    return [];
  }
  const given: Given[] = [];
  for (const [key, value] of file.entries) {
    const origin = file.place([key]);
    const name = settingNames().find((candidate) => fileKey(candidate) === key);
    if (name === undefined || name === 'config') mistakes.push(unknownKey(key, origin, basename(path)));
    else given.push({ name, origin, values: valuesOf(name, value, file.place) });
  }
  return given;
}

function unknownKey(key: string, origin: string, file: string): string {
  const what = `setting ${show(key)} (${origin})`;
  if (key === 'config') return `Cannot use ${what}: only --config and VIADUCT_CONFIG can name a settings file`;
  if (key === 'tool' && file !== 'pyproject.toml') {
    return `Cannot use ${what}: [tool.viaduct] belongs in pyproject.toml; here its keys stand alone`;
  }
  return noSuch('setting', what, key, spelled(fileKey, 'config'));
}

/** The items of a list, which may be an array or, for mounts, a table of URLs and directories. */
function valuesOf(name: SettingName, value: unknown, place: (keys: readonly string[]) => string): Written[] {
  const key = fileKey(name);
  const setting: Setting = SETTINGS[name];
  const written = (raw: unknown): Written => ({ raw, shown: `${key} = ${show(raw)} (${place([key])})` });
  if (setting.kind !== 'list') return [written(value)];
  if (Array.isArray(value)) return value.map(written);
  if (setting.item !== 'mount' || !isTable(value)) return [written(value)];
  return Object.entries(value).map(([url, directory]) => ({
    raw: [url, directory],
    shown: `${show(url)} = ${show(directory)} (${place([key, url])})`,
  }));
}
