import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { readImported } from '../../../src/cli/import/open-site.ts';
import { realDisk } from '../../../src/import/check/real-disk.ts';
import { type ImportedFile, importFile } from '../../../src/import/import-file.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { startViaduct } from '../../support/viaduct.ts';

/** Imports `text`, an nginx configuration, in a directory of its own below `directory`, and serves the settings. */
export async function startImported(t: Lifetime, directory: string, text: string): Promise<ImportedFile> {
  const cwd = join(directory, 'imported');
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, 'nginx.conf'), text);
  const options = { file: 'nginx.conf', kind: 'nginx', cwd, outputDirectory: null } as const;
  const imported = await importFile({ ...options, readImported, disk: realDisk(), variablesIn: () => [] });
  writeFileSync(join(cwd, 'viaduct.toml'), imported.toml);
  const { listen } = parse(imported.toml) as { listen: string | string[] };
  await startViaduct(t, ['web', '--access-log', 'off'], { cwd, listen: [listen].flat().join(',') });
  return imported;
}
