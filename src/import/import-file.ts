import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { ViaductError } from '../errors.ts';
import { importApache } from './apache/import-apache.ts';
import type { AskedSite, ReadImported, ReadSettings } from './check/asked-site.ts';
import type { Disk } from './check/outcome.ts';
import { importProcfile, importSupervisor, importSystemd } from './commands/import-service.ts';
import type { ConfigBuilder } from './config-builder.ts';
import { importGunicorn } from './gunicorn/import-gunicorn.ts';
import type { ImportReport } from './import-report.ts';
import { KINDS, type Kind, kindOf } from './kind.ts';
import { type Checked, checkNginx } from './nginx/check/check-nginx.ts';
import { importNginx } from './nginx/import-nginx.ts';
import type { Model } from './nginx/model/model.ts';
import { readTree } from './nginx/tree.ts';
import { readText } from './read-text.ts';
import type { Source } from './source.ts';
import { writeToml } from './toml-writer.ts';
import { importUwsgi } from './uwsgi/import-uwsgi.ts';

export interface ImportOptions {
  /** Path of the other server's configuration. */
  readonly file: string;
  /** The server that the file is for; null to detect it. */
  readonly kind: Kind | null;
  readonly cwd: string;
  /** The directory of the new settings file, for relative paths; null for the directory of `file`. */
  readonly outputDirectory: string | null;
  /** Reads a configuration as a server would. */
  readonly readImported: ReadImported;
  /** What this machine has. The check compares what both servers make of it, if it has directories of the configuration. Default: nothing. */
  readonly disk?: Disk;
  /** Says where the source of a project reads variables that only another server sets. */
  readonly variablesIn: (directory: string) => readonly string[];
}

export interface ImportedFile {
  readonly kind: Kind;
  /** The text of viaduct.toml. */
  readonly toml: string;
  readonly report: ImportReport;
  /** What the check found. Only a configuration of nginx is checked. */
  readonly checked: Checked;
  /** Where the source of the applications reads variables of another server. */
  readonly variables: readonly string[];
}

/**
 * Converts another server's configuration to a settings file. The configuration is parsed, never run.
 *
 * @throws ViaductError `SETTINGS` with file and line of a part that cannot be read, `PYTHON_MISSING` if reading needs Python
 */
export async function importFile(options: ImportOptions): Promise<ImportedFile> {
  const { file, kind, cwd, outputDirectory, readImported, disk = () => null, variablesIn } = options;
  const path = resolve(cwd, file);
  const show = (one: string) => shownFrom(cwd, one);
  const text = readText(path, show(path));
  const found = kind ?? kindOf(path, text);
  if (found === null) {
    throw new ViaductError('SETTINGS', `Cannot import "${show(path)}": it is not clear whose configuration it is`, {
      advice: `Say so with --from ${KINDS.join(', --from ')}.`,
    });
  }
  const output = outputDirectory ?? dirname(path);
  const pathOf = (written: string) => placed(written, dirname(path), output);
  const source = { path, text, shown: show(path), show, pathOf, output };
  const { builder, report, model } = read(found, source);
  builder.remarks.unshift(`Made of ${show(path)} by "viaduct import". Look it through, then run "viaduct check".`);
  const toml = `${builder.remarks.map((remark) => `# ${remark}`).join('\n')}\n\n${writeToml(builder)}`;
  const settings = await readBack(readImported(parse(toml), output));
  const checked = model === null ? NOTHING : await checkNginx(model, settings, disk);
  const variables = projectsOf(builder, output).flatMap(variablesIn);
  return { kind: found, toml, report, checked, variables };
}

const NOTHING: Checked = { findings: [], unchecked: [] };

/** Viaduct must be able to read its own output. If it cannot, that is a bug in Viaduct, not an error of the user. */
async function readBack(reading: Promise<ReadSettings>): Promise<ReadSettings> {
  try {
    const settings = await reading;
    return { open: () => openBack(settings) };
  } catch (cause) {
    throw unreadable(cause);
  }
}

function openBack(settings: ReadSettings): AskedSite {
  try {
    return settings.open();
  } catch (cause) {
    throw unreadable(cause);
  }
}

function unreadable(cause: unknown): Error {
  return new Error('the settings made of the configuration cannot be read back', { cause });
}

interface Read {
  readonly builder: ConfigBuilder;
  readonly report: ImportReport;
  /** What a configuration of nginx means; null for others. */
  readonly model: Model | null;
}

function read(kind: Kind, source: Source): Read {
  if (kind === 'nginx') return readNginx(source);
  return { ...IMPORTERS[kind](source), model: null };
}

type Importer = (source: Source) => { readonly builder: ConfigBuilder; readonly report: ImportReport };

const IMPORTERS: Readonly<Record<Exclude<Kind, 'nginx'>, Importer>> = {
  gunicorn: importGunicorn,
  uwsgi: importUwsgi,
  apache: importApache,
  procfile: importProcfile,
  supervisor: importSupervisor,
  systemd: importSystemd,
};

function readNginx({ path, shown, show, pathOf }: Source): Read {
  const imported = importNginx(readTree(path, show), { pathOf, directory: dirname(path) });
  if (imported.builder.lists.has('route')) return imported;
  throw new ViaductError('SETTINGS', `Cannot import "${shown}": it has no server`, {
    advice: 'Name the file that has server blocks, or includes those that have.',
  });
}

/** A path relative to the directory of the settings file. */
function placed(written: string, from: string, to: string): string {
  if (isAbsolute(written) || from === to) return written;
  return relative(to, resolve(from, written)) || '.';
}

function shownFrom(cwd: string, path: string): string {
  const below = relative(cwd, path);
  return below.startsWith('..') ? path : below;
}

/** The directories of the applications that the settings name. */
function projectsOf(builder: ConfigBuilder, output: string): string[] {
  const apps = [builder, ...(builder.tables.get('apps')?.tables.values() ?? [])];
  const directories = apps.flatMap((app) => {
    const target = app.get('target');
    if (typeof target !== 'string') return [];
    const chdir = app.get('chdir');
    if (typeof chdir === 'string') return [resolve(output, chdir)];
    const path = target.replace(/:[^:/]*$/, '');
    return [/\.py$/.test(path) ? dirname(resolve(output, path)) : output];
  });
  return [...new Set(directories)];
}
