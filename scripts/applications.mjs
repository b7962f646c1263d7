/** Prepares the real applications of `test/applications`. Run as a program with the name of one, it prepares this one. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT, SETUP } from './steps.mjs';
import { isPrepared, prepareVenv } from './venv.mjs';

const HERE = join(ROOT, 'test/applications');
/** Two cores, and pip waits for the network half of the time. */
const AT_A_TIME = 2;

/**
 * Prepares `.setup/applications/NAME` with the packages of `test/applications/NAME/requirements.txt`, for each application. Only root and CI
 * install them, because together they take 500 MB. The tests of what is missing are skipped.
 */
export async function prepareApplications() {
  const missing = names().filter((name) => !isPrepared(venvOf(name), requirementsOf(name)));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 && (process.env.CI ?? '') === '') {
    console.log(
      `- missing: ${missing.join(', ')}. Only root and CI install these applications; their tests are skipped.`,
    );
    return;
  }
  const work = async () => {
    for (let name = missing.shift(); name !== undefined; name = missing.shift()) await prepareInProcess(name);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

function names() {
  return readdirSync(HERE).filter((name) => existsSync(requirementsOf(name)));
}

function venvOf(name) {
  return join(SETUP, 'applications', name);
}

function requirementsOf(name) {
  return join(HERE, name, 'requirements.txt');
}

function prepareInProcess(name) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), name], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve) => child.once('close', resolve));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name = ''] = process.argv;
  if (!existsSync(requirementsOf(name))) {
    console.log(`Cannot prepare "${name}": the applications are ${names().join(', ')}.`);
    process.exit(1);
  }
  // The file lists all packages, so pip has nothing to resolve.
  process.exit(prepareVenv(venvOf(name), requirementsOf(name), { pipArgs: ['--no-deps'] }) === null ? 1 : 0);
}
