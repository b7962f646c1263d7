import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { PYTHON_WITH_PACKAGES, ROOT } from './viaduct.ts';

/** What a run leaves in the directory of an example. */
const MADE = ['.venv', 'var', '__pycache__'];

/** A copy of an example that a test may change. */
export interface ExampleCopy {
  readonly directory: string;
  /** Runs `manage.py` there and returns its output. Throws with the output if `manage.py` fails. */
  manage(...args: string[]): string;
}

/** Copies `examples/NAME` to a temporary directory, without what a run of it left there. `python` runs its `manage.py`. */
export function copyExample(t: Lifetime, name: string, python = PYTHON_WITH_PACKAGES ?? 'python3'): ExampleCopy {
  const directory = join(temporaryDirectory(t), name);
  cpSync(join(ROOT, 'examples', name), directory, {
    recursive: true,
    filter: (source) => !MADE.includes(basename(source)),
  });
  return { directory, manage: (...args) => manage(python, directory, args) };
}

/** A copy of the Django example with its database, demo data and collected static files, as its README makes them. */
export function prepareDjangoSite(t: Lifetime, python?: string): ExampleCopy {
  const site = copyExample(t, 'django-site', python);
  site.manage('migrate', '--noinput');
  site.manage('collectstatic', '--noinput');
  site.manage('demo');
  return site;
}

function manage(python: string, directory: string, args: readonly string[]): string {
  const { DJANGO_SETTINGS_MODULE: _, ...env } = process.env;
  const result = spawnSync(python, ['manage.py', ...args], {
    cwd: directory,
    env,
    encoding: 'utf8',
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status !== 0) throw new Error(`manage.py ${args.join(' ')} failed:\n${output}${result.error ?? ''}`);
  return output;
}
