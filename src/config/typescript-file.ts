import { statSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import { createProjectImporter } from './project-importer.ts';
import type { SettingsFile } from './settings-file.ts';
import { keyName } from './site-entries.ts';
import { isTable } from './toml.ts';

/**
 * Reads `viaduct.config.ts`: a module whose default export has the keys of `viaduct.toml` in camelCase. This works on every Node version that Viaduct
 * supports. The module can import `viaduct` wherever Viaduct is installed.
 *
 * @param shown the path for messages
 */
export async function readTypeScriptFile(path: string, shown: string): Promise<SettingsFile> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return { error: `Cannot read settings file "${shown}": there is no such file` };
  }
  let value: unknown;
  try {
    value = await createProjectImporter().import(path, { default: true });
  } catch (error) {
    return { error: `Cannot read settings file "${shown}": ${messageOf(error)}` };
  }
  if (!isTable(value)) return { error: `Cannot use settings file "${shown}": its default export must be an object` };
  return {
    entries: Object.entries(value).filter(([, entry]) => entry !== undefined),
    source: {
      spelling: 'camelCase',
      position: (keys) => (keys.length === 0 ? shown : `${shown}: ${keyName(keys)}`),
      suffix: () => ` (${shown})`,
    },
  };
}
