import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { Source } from '../source.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { isAddress, writeAddresses } from './addresses.ts';
import { type Option, readIni } from './ini.ts';
import { UWSGI } from './settings.ts';
import { isTarget, writeTarget } from './target.ts';

/** Converts the section `[uwsgi]` of an ini file to settings. */
export function importUwsgi({ text, shown, pathOf, output }: Source): { builder: ConfigBuilder; report: ImportReport } {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  // paths below %d are relative to the file, and so to the settings file
  const context: WsgiContext = { builder, report, output, pathOf: (written) => pathOf(tidy(written)) };
  const all = readIni(text, shown);
  const known = all.filter((option) => isKnown(option, all, report));
  writeTarget(known, context);
  writeAddresses(known, context);
  for (const option of known) {
    if (isTarget(option) || isAddress(option)) continue;
    const rule = Object.hasOwn(UWSGI, option.name) ? UWSGI[option.name] : undefined;
    if (rule !== undefined) rule(option, context);
    else if (!isVariable(option, all)) report.lost(option, 'Viaduct has no counterpart');
  }
  if (builder.get('group') !== undefined && builder.get('user') === undefined)
    builder.remarks.push('group needs user as well');
  builder.assume('workers', 1, "uWSGI's default");
  builder.assume('threads', 1, "uWSGI's default");
  const cheaper = known.findLast(({ name }) => name === 'cheaper');
  if (cheaper !== undefined && Number(builder.get('workers_min')) > Number(builder.get('workers'))) {
    builder.values.delete('workers_min');
    report.lost(cheaper, 'it is more than the number of workers');
  }
  return { builder, report };
}

/** Whether a value contains an environment variable, whose value is unknown here. */
function isKnown(option: Option, all: readonly Option[], report: ImportReport): boolean {
  if (option.unknown.length === 0) return true;
  if (!isVariable(option, all))
    report.lost(option, `it depends on ${option.unknown.join(', ')}, whose value is unknown here`);
  return false;
}

/** Whether only other values use a key, by `%(key)`. */
function isVariable({ name }: Option, all: readonly Option[]): boolean {
  return !Object.hasOwn(UWSGI, name) && all.some(({ text }) => text.replaceAll('_', '-').includes(`%(${name})`));
}

function tidy(path: string): string {
  const plain = path.replace(/^\.\/+/, '').replace(/(.)\/+$/, '$1');
  return plain === '' ? '.' : plain;
}
