import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The project's directory. */
export const ROOT = dirname(dirname(import.meta.dirname));

/** The applications that all stacks serve. */
export const APPS = join(ROOT, 'bench/apps');

/** The virtual environment that holds the Python peers and Django: one interpreter for all. */
export const VENV = join(ROOT, '.setup/bench-venv');

/** Options of Node for a server process that collects its garbage at SIGUSR2. */
export const COLLECTOR = ['--expose-gc', '--import', join(ROOT, 'bench/collect-on-signal.mjs')];

/** Programs that `install-peers.sh` has built. */
const BUILT = join(ROOT, '.setup/bench-go');

/** The interpreter that runs the applications in every stack. */
export const PYTHON = join(VENV, 'bin/python');

/**
 * What a peer is, before it is started.
 *
 * @typedef {{ version: string } | { missing: string }} Inspection
 */

/**
 * Looks for a program among those of `install-peers.sh` and in PATH and asks for its version.
 *
 * @param {string} name
 * @param {readonly string[]} [versionArgs]
 * @returns {Inspection}
 */
export function inspectProgram(name, versionArgs = ['--version']) {
  const path = findProgram(name);
  if (path === null) return { missing: `${name} is not installed` };
  const { stdout = '', stderr = '' } = spawnSync(path, versionArgs, { encoding: 'utf8' });
  return { version: /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown' };
}

/** As `inspectProgram`, for a package of the virtual environment. @returns {Inspection} */
export function inspectPackage(name) {
  const script = `import ${name}, importlib.metadata as m; print(m.version("${name}"))`;
  const result = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' });
  return result.status === 0 ? { version: result.stdout.trim() } : { missing: `${name} is not installed` };
}

/** As `inspectProgram`, for a package that `npm ci` has installed. @returns {Inspection} */
export function inspectNodePackage(name) {
  const path = join(ROOT, 'node_modules', name, 'package.json');
  if (!existsSync(path)) return { missing: `${name} is not installed` };
  return { version: JSON.parse(readFileSync(path, 'utf8')).version };
}

/** One inspection of several parts: missing when one is. @returns {Inspection} */
export function inspectAll(...inspections) {
  const missing = inspections.find((inspection) => 'missing' in inspection);
  return missing ?? { version: inspections.map(({ version }) => version).join(' + ') };
}

/** Null when it is nowhere. */
export function findProgram(name) {
  const directories = [
    join(VENV, 'bin'),
    BUILT,
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
  ];
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path)) ?? null;
}

/**
 * Makes a self-signed certificate with an ECDSA key, as most sites have today.
 *
 * @returns {Promise<{ certificate: string, key: string }>} paths
 */
export async function makeCertificate(directory) {
  const { makeSelfSigned } = await import(join(ROOT, '.build/src/listen/tls/self-signed.js'));
  const { certificate, key } = makeSelfSigned();
  const paths = { certificate: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') };
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.key, key, { mode: 0o600 });
  return paths;
}

/** Writes a peer's configuration into the job's directory and gives its path. */
export function writeConfiguration(job, name, lines) {
  const path = join(job.directory, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
