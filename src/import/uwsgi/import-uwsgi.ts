import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { Source } from '../source.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { isAddress, writeAddresses } from './addresses.ts';
import type { Option } from './option.ts';
import { readOptions } from './read-options.ts';
import { isRoute, writeRoutes } from './routes.ts';
import { UWSGI } from './settings.ts';
import { isStatic, writeStatic } from './static.ts';
import { isTarget, writeTarget } from './target.ts';

/** Converts a configuration of uWSGI to settings: its options in ini, XML, YAML or JSON. */
export function importUwsgi(source: Source): { builder: ConfigBuilder; report: ImportReport } {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  carryUwsgi(readOptions(source), { builder, report, output: source.output, pathOf: source.pathOf });
  return { builder, report };
}

/** Carries over options of uWSGI. */
export function carryUwsgi(all: readonly Option[], given: WsgiContext): void {
  const { builder, report } = given;
  // paths below %d are relative to the file, and so to the settings file
  const context: WsgiContext = { ...given, pathOf: (written) => given.pathOf(tidy(written)) };
  const known = all.filter((option) => isKnown(option, all, report));
  writeTarget(known, context);
  writeAddresses(known, context);
  writeRoutes(known, context);
  writeStatic(known, context);
  for (const option of known) {
    if (isTarget(option) || isAddress(option) || isRoute(option) || isStatic(option)) continue;
    const rule = Object.hasOwn(UWSGI, option.name) ? UWSGI[option.name] : undefined;
    if (rule !== undefined) rule(option, context);
    else if (!isVariable(option, all)) report.lost(option, reasonFor(option));
  }
  if (builder.get('group') !== undefined && builder.get('user') === undefined)
    builder.remarks.push('group needs user as well');
  const chdir = builder.values.get('chdir');
  if (chdir !== undefined)
    for (const app of builder.tables.get('apps')?.tables.values() ?? []) app.set('chdir', chdir.value, ...chdir.from);
  builder.assume('workers', 1, "uWSGI's default");
  builder.assume('threads', 1, "uWSGI's default");
  const cheaper = known.findLast(({ name }) => name === 'cheaper');
  if (cheaper !== undefined && Number(builder.get('workers_min')) > Number(builder.get('workers'))) {
    builder.values.delete('workers_min');
    report.lost(cheaper, 'it is more than the number of workers');
  }
}

/** Whether an option counts for certain, with a value that is known here. */
function isKnown(option: Option, all: readonly Option[], report: ImportReport): boolean {
  const { condition, unknown } = option;
  if (condition === '' && unknown.length === 0) return true;
  if (condition !== '') report.lost(option, `it counts only with "${condition}", which is unknown here`);
  else if (!isVariable(option, all))
    report.lost(option, `it depends on ${unknown.join(', ')}, whose value is unknown here`);
  return false;
}

/** Whether only other values use a key, by `%(key)`. */
function isVariable({ name }: Option, all: readonly Option[]): boolean {
  return !Object.hasOwn(UWSGI, name) && all.some(({ text }) => text.replaceAll('_', '-').includes(`%(${name})`));
}

function reasonFor({ name }: Option): string {
  if (/^(?:hook|exec)-.*(?:stop|exit|atexit)|^exec-as-user-atexit$/.test(name))
    return 'run the command when Viaduct has stopped, such as ExecStopPost= of systemd';
  if (/^(?:hook|exec|pre)-/.test(name))
    return 'run the command before Viaduct starts, such as ExecStartPre= of systemd';
  return 'Viaduct has no counterpart';
}

function tidy(path: string): string {
  const plain = path.replace(/^\.\/+/, '').replace(/(.)\/+$/, '$1');
  return plain === '' ? '.' : plain;
}
