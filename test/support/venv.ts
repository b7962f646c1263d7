import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Creates what `python -m venv` creates, without pip, which no test needs. Returns its directory of packages. */
export function makeVenv(path: string): string {
  const [python = '', version = ''] = systemPython();
  mkdirSync(join(path, 'bin'), { recursive: true });
  writeFileSync(join(path, 'pyvenv.cfg'), `home = ${dirname(python)}\ninclude-system-site-packages = false\n`);
  symlinkSync(python, join(path, 'bin/python'));
  const packages = join(path, `lib/python${version}/site-packages`);
  mkdirSync(packages, { recursive: true });
  return packages;
}

/** Installs a distribution with these files into a directory of packages, with the metadata that pip writes. */
export function install(
  packages: string,
  name: string,
  files: Readonly<Record<string, string>>,
  entryPoints = '',
): void {
  const info = `${name.replaceAll('-', '_')}-2.1.dist-info`;
  const metadata = {
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 2.1\n`,
    [`${info}/entry_points.txt`]: entryPoints,
  };
  const all = { ...files, ...metadata };
  const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join('');
  for (const [path, text] of Object.entries({ ...all, [`${info}/RECORD`]: record })) {
    mkdirSync(dirname(join(packages, path)), { recursive: true });
    writeFileSync(join(packages, path), text);
  }
}

/** The interpreter, outside of any environment, and its version for paths, such as 3.12. */
function systemPython(): string[] {
  const show = "import sys; print(sys._base_executable, '%d.%d' % sys.version_info[:2], sep='|')";
  const { stdout } = spawnSync('python3', ['-c', show], { encoding: 'utf8' });
  return stdout.trim().split('|');
}
