import { Draft } from '../config-builder.ts';
import { Ledger } from '../import-report.ts';
import type { Source } from '../source.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import { isAddress, writeAddresses } from './addresses.ts';
import { type Option, readIni } from './ini.ts';
import { UWSGI } from './settings.ts';
import { isTarget, writeTarget } from './target.ts';

/** Makes settings of the section `[uwsgi]` of an ini file. */
export function importUwsgi({ text, shown, pathOf, output }: Source): { draft: Draft; ledger: Ledger } {
  const ledger = new Ledger();
  const draft = new Draft();
  // what begins at %d is relative to the file, and so to where the settings stand
  const context: WsgiContext = { draft, ledger, output, pathOf: (written) => pathOf(tidy(written)) };
  const all = readIni(text, shown);
  const known = all.filter((option) => isKnown(option, all, ledger));
  writeTarget(known, context);
  writeAddresses(known, context);
  for (const option of known) {
    if (isTarget(option) || isAddress(option)) continue;
    const rule = Object.hasOwn(UWSGI, option.name) ? UWSGI[option.name] : undefined;
    if (rule !== undefined) rule(option, context);
    else if (!isVariable(option, all)) ledger.lost(option, 'Viaduct knows nothing like it');
  }
  if (draft.get('group') !== undefined && draft.get('user') === undefined)
    draft.remarks.push('group needs user beside it');
  draft.assume('workers', 1, "uWSGI's default");
  draft.assume('threads', 1, "uWSGI's default");
  return { draft, ledger };
}

/** A value with a variable of the environment in it cannot be known. */
function isKnown(option: Option, all: readonly Option[], ledger: Ledger): boolean {
  if (option.unknown.length === 0) return true;
  if (!isVariable(option, all))
    ledger.lost(option, `it depends on ${option.unknown.join(', ')}, which is not known here`);
  return false;
}

/** A key that only other values name, by `%(key)`. */
function isVariable({ name }: Option, all: readonly Option[]): boolean {
  return !Object.hasOwn(UWSGI, name) && all.some(({ text }) => text.replaceAll('_', '-').includes(`%(${name})`));
}

function tidy(path: string): string {
  const plain = path.replace(/^\.\/+/, '').replace(/(.)\/+$/, '$1');
  return plain === '' ? '.' : plain;
}
