import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PYTHON_WITH_PACKAGES, ROOT } from './viaduct.ts';

/**
 * Makes a clone of the project in `directory`, in the state after `npm ci`. The packages are links, and the virtual environment of the
 * Django site has Django already, so the clone needs no network.
 */
export function makeClone(directory: string): void {
  for (const name of [
    'bin',
    'examples',
    'python',
    'scripts',
    'src',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'ui',
  ]) {
    const filter = (source: string) => !/\/(\.venv|var|__pycache__)$/.test(source);
    cpSync(join(ROOT, name), join(directory, name), { recursive: true, filter });
  }
  mkdirSync(join(directory, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.') && name !== '.bin') continue;
    symlinkSync(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
  }
  writeFileSync(join(directory, 'node_modules/.package-lock.json'), '{}');
  const prepared = dirname(dirname(PYTHON_WITH_PACKAGES as string));
  const venv = join(directory, 'examples/django-site/.venv');
  mkdirSync(venv);
  for (const name of ['bin', 'lib', 'pyvenv.cfg']) symlinkSync(join(prepared, name), join(venv, name));
  const requirements = readFileSync(join(directory, 'examples/django-site/requirements.txt'));
  writeFileSync(join(venv, 'requirements.sha256'), createHash('sha256').update(requirements).digest('hex'));
}
