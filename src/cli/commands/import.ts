import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ViaductError } from '../../errors.ts';
import { realDisk } from '../../import/check/real-disk.ts';
import { importFile } from '../../import/import-file.ts';
import { KINDS, type Kind } from '../../import/kind.ts';
import { reportText } from '../../import/report-text.ts';
import { describeServerVariables, findServerVariables } from '../../project/server-variables.ts';
import type { Arguments } from '../arguments.ts';
import { readImported } from '../import/open-site.ts';

const FORM = `viaduct import FILE [--output viaduct.toml] [--force] [--from ${KINDS.join('|')}] [--accept FILE:LINE,…] [--all]`;

/**
 * `viaduct import`: converts another server's configuration to viaduct.toml, compares the two, and reports what is different and what could not
 * be carried over. With dangerous differences that nobody accepted, it writes nothing and returns 1.
 */
export async function importConfiguration({ words }: Arguments): Promise<number> {
  const { file, output, force, from, accepted, all } = readWords(words);
  const cwd = process.cwd();
  const path = output === null ? null : resolve(cwd, output);
  if (path !== null && !force && existsSync(path)) {
    throw new ViaductError('USAGE', `Cannot write "${output}": the file exists`, {
      advice: 'Add --force to replace it.',
    });
  }
  const outputDirectory = path === null ? null : dirname(path);
  const options = { file, kind: from, cwd, outputDirectory, readImported, disk: realDisk(), variablesIn };
  const imported = await importFile(options);
  const { lines, open } = reportText(imported, accepted, all);
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (open.length > 0) {
    process.stderr.write(
      `Nothing was written: ${open.length === 1 ? 'a place is' : `${open.length} places are`} different in a dangerous way. ` +
        `Change the configuration, or accept the differences with --accept ${open.join(',')}\n`,
    );
    return 1;
  }
  if (path === null) process.stdout.write(imported.toml);
  else write(path, imported.toml, force);
  return 0;
}

function variablesIn(directory: string): string[] {
  return describeServerVariables(findServerVariables(directory));
}

function readWords(words: readonly string[]): {
  readonly file: string;
  readonly output: string | null;
  readonly force: boolean;
  readonly from: Kind | null;
  readonly accepted: ReadonlySet<string>;
  readonly all: boolean;
} {
  const refuse = (state: string): ViaductError =>
    new ViaductError('USAGE', `Cannot import: ${state}`, { advice: `Write ${FORM}.` });
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        force: { type: 'boolean' },
        from: { type: 'string' },
        accept: { type: 'string', multiple: true },
        all: { type: 'boolean' },
      },
    });
    const [file, ...others] = positionals;
    const kind = KINDS.find((candidate) => candidate === values.from) ?? null;
    if (file === undefined || others.length > 0) throw refuse('it takes one file');
    if (values.from !== undefined && kind === null) throw refuse(`"${values.from}" is not one of ${KINDS.join(', ')}`);
    const accepted = new Set((values.accept ?? []).flatMap((names) => names.split(',')).map((name) => name.trim()));
    const isTrue = (value: boolean | undefined): boolean => value === true;
    return {
      file,
      output: values.output ?? null,
      force: isTrue(values.force),
      from: kind,
      accepted,
      all: isTrue(values.all),
    };
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    throw refuse((error as Error).message.replace(/\. .*$/s, ''));
  }
}

function write(path: string, toml: string, force: boolean): void {
  try {
    writeFileSync(path, toml, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    throw new ViaductError('USAGE', `Cannot write "${path}": ${(error as Error).message}`, { cause: error });
  }
}
