import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { readSettings } from '../config/load.ts';
import { ViaductError } from '../errors.ts';
import type { Draft } from './config-builder.ts';
import { importGunicorn } from './gunicorn/import-gunicorn.ts';
import type { Ledger } from './import-report.ts';
import { type Kind, kindOf } from './kind.ts';
import { importNginx } from './nginx/import-nginx.ts';
import { readTree } from './nginx/tree.ts';
import { readText } from './read-text.ts';
import type { Source } from './source.ts';
import { writeToml } from './toml-writer.ts';
import { importUwsgi } from './uwsgi/import-uwsgi.ts';

export interface ImportOptions {
  /** The configuration of another server. */
  readonly file: string;
  /** Whose it is; null to find out. */
  readonly kind: Kind | null;
  readonly cwd: string;
  /** Where the settings file is to stand, for relative paths; null for beside `file`. */
  readonly outputDirectory: string | null;
}

export interface ImportedFile {
  readonly kind: Kind;
  /** `viaduct.toml`. */
  readonly toml: string;
  /** What became of what is not simply carried over, a line each. */
  readonly report: readonly string[];
}

/**
 * Makes a settings file of the configuration of another server, which is read and never run.
 *
 * @throws ViaductError `SETTINGS` with file and line for what cannot be read, `PYTHON_MISSING` where reading needs Python
 */
export async function importFile({ file, kind, cwd, outputDirectory }: ImportOptions): Promise<ImportedFile> {
  const path = resolve(cwd, file);
  const show = (one: string) => shownFrom(cwd, one);
  const text = readText(path, show(path));
  const found = kind ?? kindOf(path, text);
  if (found === null) {
    throw new ViaductError('SETTINGS', `Cannot import "${show(path)}": it is not clear whose configuration it is`, {
      advice: 'Say so with --from nginx, --from gunicorn or --from uwsgi.',
    });
  }
  const output = outputDirectory ?? dirname(path);
  const pathOf = (written: string) => placed(written, dirname(path), output);
  const { draft, ledger } = await read(found, { path, text, shown: show(path), show, pathOf, output });
  draft.remarks.unshift(`Made of ${show(path)} by "viaduct import". Look it through, then run "viaduct check".`);
  const toml = `${draft.remarks.map((remark) => `# ${remark}`).join('\n')}\n\n${writeToml(draft)}`;
  await prove(toml, output);
  return { kind: found, toml, report: ledger.lines() };
}

async function read(kind: Kind, source: Source): Promise<{ draft: Draft; ledger: Ledger }> {
  if (kind === 'nginx') return readNginx(source);
  return kind === 'gunicorn' ? importGunicorn(source) : importUwsgi(source);
}

function readNginx({ path, shown, show, pathOf }: Source): { draft: Draft; ledger: Ledger } {
  const imported = importNginx(readTree(path, show), pathOf);
  if (imported.draft.lists.has('route')) return imported;
  throw new ViaductError('SETTINGS', `Cannot import "${shown}": it has no server`, {
    advice: 'Name the file that has server blocks, or includes those that have.',
  });
}

/** Viaduct must be able to read what it writes; where it cannot, the fault is ours and not the user's. */
async function prove(toml: string, base: string): Promise<void> {
  try {
    await readSettings(parse(toml), base);
  } catch (error) {
    throw new Error('the settings made of the configuration cannot be read back', { cause: error });
  }
}

/** A relative path as seen from where the settings file stands. */
function placed(written: string, from: string, to: string): string {
  if (isAbsolute(written) || from === to) return written;
  return relative(to, resolve(from, written)) || '.';
}

function shownFrom(cwd: string, path: string): string {
  const below = relative(cwd, path);
  return below.startsWith('..') ? path : below;
}
