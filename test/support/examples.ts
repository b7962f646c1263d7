import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PYTHON_WITH_PACKAGES, ROOT } from './viaduct.ts';

/** What a run leaves behind in an example. */
const MADE = ['.venv', 'var', '__pycache__'];

/** A copy of an example that a test may change. */
export interface ExampleCopy {
  readonly directory: string;
  /** Runs `manage.py` there, throws with its output when it fails. */
  manage(...args: string[]): string;
  remove(): void;
}

/** Copies `examples/NAME` as git has it to a temporary directory. */
export function copyExample(name: string): ExampleCopy {
  const parent = mkdtempSync(join(tmpdir(), 'viaduct-example-'));
  const directory = join(parent, name);
  cpSync(join(ROOT, 'examples', name), directory, {
    recursive: true,
    filter: (source) => !MADE.includes(basename(source)),
  });
  return {
    directory,
    manage: (...args) => manage(directory, args),
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}

/** A copy of the Django example with its database, demo data and collected static files, as its README makes them. */
export function prepareDjangoSite(): ExampleCopy {
  const site = copyExample('django-site');
  site.manage('migrate', '--noinput');
  site.manage('collectstatic', '--noinput');
  site.manage('demo');
  return site;
}

function manage(directory: string, args: readonly string[]): string {
  const { DJANGO_SETTINGS_MODULE: _, ...env } = process.env;
  const result = spawnSync(PYTHON_WITH_PACKAGES ?? 'python3', ['manage.py', ...args], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status !== 0) throw new Error(`manage.py ${args.join(' ')} failed:\n${output}${result.error ?? ''}`);
  return output;
}
