import { proveApplication } from '../../app/prove.ts';
import { fileKey } from '../../config/setting.ts';
import { SETTINGS } from '../../config/settings.ts';
import { formatValue } from '../../config/value.ts';
import { assumeIdentity } from '../../service/identity.ts';
import type { Arguments } from '../arguments.ts';
import { findingLines, palette } from '../output.ts';
import { prepare } from '../prepare.ts';

/** `viaduct check`: tells what would be served and with which settings, and imports the application to prove it. */
export async function check(parsed: Arguments): Promise<number> {
  const { settings, origins, project, identity } = await prepare(parsed);
  if (identity !== null) assumeIdentity(identity);
  const colours = palette(process.stdout);
  process.stdout.write(findingLines(project.findings, colours));
  for (const [name, origin] of origins) {
    const value = formatValue(SETTINGS[name], settings[name]);
    process.stdout.write(`  ${colours.dim('setting'.padEnd(12))}${fileKey(name)} = ${value} (${origin})\n`);
  }
  await proveApplication(project, settings.startTimeoutMs);
  process.stdout.write('The application can be served.\n');
  return 0;
}
