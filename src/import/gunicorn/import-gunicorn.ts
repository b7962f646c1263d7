import { ConfigBuilder } from '../config-builder.ts';
import { ImportReport } from '../import-report.ts';
import type { Source } from '../source.ts';
import { secureAddresses, type WsgiContext } from '../wsgi-config-builder.ts';
import { carryAssignment } from './carry-assignment.ts';
import { type Assignment, readPython } from './read-python.ts';

/** Settings that others depend on come first. Settings that depend on others come last. */
const FIRST = ['wsgi_app', 'chdir', 'bind', 'user', 'ca_certs'];
const LAST = ['secure_scheme_headers', 'proxy_protocol', 'protocol'];

/** Converts a `gunicorn.conf.py` to settings. The file is parsed, not run. */
export function importGunicorn({ text, shown, pathOf, output }: Source): {
  builder: ConfigBuilder;
  report: ImportReport;
} {
  const report = new ImportReport();
  const builder = new ConfigBuilder();
  carryGunicorn(readPython(text, shown), { builder, report, pathOf, output });
  return { builder, report };
}

/** Carries over gunicorn's settings. Where several set the same, the last one counts. */
export function carryGunicorn(all: readonly Assignment[], context: WsgiContext): void {
  const { builder, report } = context;
  const last = new Map(all.map((one): [string, Assignment] => [one.name, one]));
  for (const one of [...all].sort((a, b) => rankOf(a) - rankOf(b))) {
    if (one.name !== '' && last.get(one.name) !== one) report.lost(one, 'a later line assigns it again');
    else carryAssignment(one, context);
  }
  if (builder.get('workers') === undefined && !last.has('workers')) builder.assume('workers', 1, "gunicorn's default");
  if (!last.has('threads')) builder.assume('threads', 1, "gunicorn's default");
  if (!last.has('bind')) builder.assume('listen', ['127.0.0.1:8000'], "gunicorn's default");
  secureAddresses(builder);
}

function rankOf({ name }: Assignment): number {
  if (FIRST.includes(name)) return FIRST.indexOf(name);
  return LAST.includes(name) ? 200 + LAST.indexOf(name) : 100;
}
