import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SettingsFile } from './settings-file.ts';
import { isTable } from './toml.ts';

const PACKAGE = fileURLToPath(new URL('../index.js', import.meta.url));

/**
 * Reads `viaduct.config.ts`: a module whose default export holds what `viaduct.toml` would. It runs on every Node that Viaduct runs on, and
 * finds `viaduct` wherever that is installed.
 *
 * @param shown the path as it is to stand in messages
 */
export async function readTypeScriptFile(path: string, shown: string): Promise<SettingsFile> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return { mistake: `Cannot read settings file "${shown}": there is no such file` };
  }
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, { alias: { viaduct: PACKAGE }, moduleCache: false, fsCache: false });
  let value: unknown;
  try {
    value = await jiti.import(path, { default: true });
  } catch (error) {
    return { mistake: `Cannot read settings file "${shown}": ${String(error)}` };
  }
  if (!isTable(value)) return { mistake: `Cannot use settings file "${shown}": its default export must be an object` };
  return {
    entries: Object.entries(value),
    place: (keys) => (keys.length === 0 ? shown : `${shown}: ${keys.join('.')}`),
  };
}
