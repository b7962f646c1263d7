import { existsSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ViaductError } from '../../errors.ts';
import { importFile } from '../../import/import-file.ts';
import { KINDS, type Kind } from '../../import/kind.ts';
import { readConfiguration } from '../../site/load-configuration.ts';
import type { Arguments } from '../arguments.ts';

const FORM = 'viaduct import FILE [--output viaduct.toml] [--force] [--from nginx|gunicorn|uwsgi]';

/** `viaduct import`: converts another server's configuration to viaduct.toml, and reports what could not be carried over. */
export async function importConfiguration({ words }: Arguments): Promise<number> {
  const { file, output, force, from } = readWords(words);
  const cwd = process.cwd();
  const path = output === null ? null : resolve(cwd, output);
  if (path !== null && !force && existsSync(path)) {
    throw new ViaductError('USAGE', `Cannot write "${output}": the file exists`, {
      advice: 'Add --force to replace it.',
    });
  }
  const outputDirectory = path === null ? null : dirname(path);
  const { toml, report } = await importFile({ file, kind: from, cwd, outputDirectory, readConfiguration });
  if (path === null) process.stdout.write(toml);
  else write(path, toml, force);
  for (const line of report) process.stderr.write(`${line}\n`);
  return 0;
}

function readWords(words: readonly string[]): {
  readonly file: string;
  readonly output: string | null;
  readonly force: boolean;
  readonly from: Kind | null;
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
      },
    });
    const [file, ...others] = positionals;
    const kind = KINDS.find((candidate) => candidate === values.from) ?? null;
    if (file === undefined || others.length > 0) throw refuse('it takes one file');
    if (values.from !== undefined && kind === null) throw refuse(`"${values.from}" is not one of ${KINDS.join(', ')}`);
    return { file, output: values.output ?? null, force: values.force === true, from: kind };
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
