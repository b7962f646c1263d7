import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ROOT, run } from './steps.mjs';

/** Names of interpreters, the usual one first: on macOS `python3` is often older than another one on the PATH. */
const PYTHONS = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** The oldest minor version of Python 3 that Viaduct supports. */
const OLDEST_MINOR = 10;

/**
 * Makes a virtual environment with the packages of a requirements file, unless it exists.
 *
 * @param {string} venv
 * @param {string} requirements
 * @param {{ repair?: () => boolean, pipArgs?: readonly string[], oldestMinor?: number }} [options] `repair` installs the missing modules of Python;
 *   it returns whether it could. `pipArgs` are further arguments of `pip install`. The packages need Python 3.`oldestMinor`.
 * @returns {string | null} its interpreter; null when it could not be made, and the reason is printed
 */
export function prepareVenv(
  venv,
  requirements,
  { repair = () => false, pipArgs = [], oldestMinor = OLDEST_MINOR } = {},
) {
  const python = join(venv, 'bin/python');
  if (isPrepared(venv, requirements)) return python;
  const base = [...PYTHONS, ...pyenvPythons()].find((name) => isRecentPython(name, oldestMinor));
  if (base === undefined) {
    console.log(
      `Cannot find Python: there is no Python 3.${oldestMinor} or later on the PATH or in pyenv. Install one, then run this command again.`,
    );
    return null;
  }
  console.log(`- prepare ${relative(ROOT, venv)}`);
  const pip = makeVenv(base, venv) ?? (repair() ? makeVenv(base, venv) : null);
  if (pip === null) {
    const advice = 'On Debian and Ubuntu install it with: apt install python3-venv';
    console.log(`Cannot make a virtual environment: "${base}" comes without ensurepip and pip. ${advice}`);
    return null;
  }
  const args = ['install', '-q', '--disable-pip-version-check', ...pipArgs, '-r', requirements];
  if (!run(pip[0], [...pip.slice(1), ...args], { quiet: true })) {
    console.log(`Cannot install ${relative(ROOT, requirements)}: the output of pip is above.`);
    return null;
  }
  writeFileSync(stampOf(venv), digestOf(requirements));
  return python;
}

/** Whether a virtual environment exists that was made from this requirements file as it is now. */
export function isPrepared(venv, requirements) {
  const stamp = stampOf(venv);
  return (
    existsSync(join(venv, 'bin/python')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digestOf(requirements)
  );
}

function stampOf(venv) {
  return join(venv, 'requirements.sha256');
}

function digestOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * Debian's Python comes without the module that puts pip into an environment. A pip outside can install into it.
 *
 * @returns {readonly string[] | null} the command of a pip that installs into the environment, null when there is none
 */
function makeVenv(base, venv) {
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  const python = join(venv, 'bin/python');
  if (succeeds(base, ['-m', 'venv', venv])) return [python, '-m', 'pip'];
  rmSync(venv, { recursive: true, force: true });
  if (!succeeds(base, ['-m', 'venv', '--without-pip', venv])) return null;
  const pip = [base, '-m', 'pip', '--python', python];
  if (succeeds(base, [...pip.slice(1), '--version'])) return pip;
  rmSync(venv, { recursive: true, force: true });
  return null;
}

function isRecentPython(name, oldestMinor) {
  return succeeds(name, ['-c', `import sys; sys.exit(sys.version_info < (3, ${oldestMinor}))`]);
}

/** Those that pyenv has installed. Its names on the PATH run only the version that was chosen for the directory. */
function pyenvPythons() {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  return existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin/python3')) : [];
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
