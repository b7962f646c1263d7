import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './viaduct.ts';

/** A new project that has the package as `npm install` unpacks it, its dependencies, and the types of Node. Returns its path. */
export function installPackage(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'viaduct-consumer-')));
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' })) as [
    { filename: string },
  ];
  execFileSync('tar', ['-xzf', join(directory, filename), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'viaduct')]);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: object };
  for (const name of ['@types', 'undici-types', ...Object.keys(dependencies)]) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  return directory;
}
