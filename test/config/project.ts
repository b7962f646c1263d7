import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { ViaductError } from '../../src/errors.ts';
import { type LoadedConfiguration, loadConfiguration } from '../../src/site/load-configuration.ts';

export interface Sources {
  /** Files in a new directory, which is the current directory. Paths that end with a slash are directories. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface Loaded extends LoadedConfiguration {
  readonly cwd: string;
}

/** Loads settings as the program does. */
export async function load(t: TestContext, { files = {}, env = {}, args = [] }: Sources): Promise<Loaded> {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'viaduct-config-')));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(cwd, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(path, text);
  }
  const { flags, errors } = readArguments(args);
  return { ...(await loadConfiguration({ flags, errors, environment: env, cwd })), cwd };
}

/** The lines of the error when loading fails. It throws if loading succeeds, or if the exit code is not 2. */
export async function errorsOf(t: TestContext, sources: Sources): Promise<string[]> {
  try {
    await load(t, sources);
  } catch (error) {
    if (error instanceof ViaductError && error.exitCode === 2) return error.message.split('\n');
    throw error;
  }
  throw new Error('there was no error');
}
