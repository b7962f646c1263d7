import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { ViaductError } from '../errors.ts';

export interface Interpreter {
  readonly path: string;
  /** Where it was found, in words. */
  readonly source: string;
  /** Why it may be the wrong one, and what to do. */
  readonly doubt?: string;
}

/** As whom to run what belongs to the project. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const ADVICE = 'Install Python 3.10 or later, or choose one with --python.';
const TOOL_TIMEOUT_MS = 10_000;

/**
 * Finds the interpreter of the project in `directory`: `python` (an executable or an environment) when given; else the virtual
 * environment beside the project, above it or beside a manage.py right below; else the active one; else what Poetry or Pipenv made; else python3 on the PATH. An
 * environment beside the project comes before the active one, because a shell is often still in that of another project.
 *
 * @throws ViaductError `PYTHON_MISSING`.
 */
export function findInterpreter(directory: string, python: string | null, runAs: RunAs | null = null): Interpreter {
  if (python !== null) return named(python);
  for (const parent of [...upwards(directory), ...projectsBelow(directory)]) {
    for (const name of ['.venv', 'venv', 'env']) {
      const path = join(parent, name);
      if (existsSync(join(path, 'pyvenv.cfg'))) return { path: executableIn(path), source: name };
    }
  }
  for (const variable of ['VIRTUAL_ENV', 'CONDA_PREFIX']) {
    const path = process.env[variable];
    if (path !== undefined && path !== '') return { path: executableIn(path), source: variable };
  }
  const made = managed(directory, runAs);
  return made === null || 'path' in made ? (made ?? onPath()) : { ...onPath(), ...made };
}

function named(python: string): Interpreter {
  if (!existsSync(python)) throw missing(`Cannot use Python "${python}": there is no such file`);
  if (statSync(python).isDirectory()) return { path: executableIn(python), source: '--python' };
  return { path: resolve(python), source: '--python' };
}

/** The directory and those above it, up to the repository's top or the home directory. */
function upwards(directory: string): string[] {
  const found: string[] = [];
  for (let at = directory; ; at = dirname(at)) {
    found.push(at);
    if (existsSync(join(at, '.git')) || at === homedir() || dirname(at) === at) return found;
  }
}

/** Directories in this one that hold a project of their own, as in a repository with a front end beside it. */
function projectsBelow(directory: string): string[] {
  try {
    const paths = readdirSync(directory).map((name) => join(directory, name));
    return paths.filter((path) => existsSync(join(path, 'manage.py')));
  } catch {
    return []; // a directory that cannot be listed can still be served
  }
}

/** The interpreter of an environment. A link that leads nowhere is what a system upgrade leaves behind. */
function executableIn(environment: string): string {
  for (const name of ['bin/python', 'bin/python3']) {
    const path = join(environment, name);
    if (runnable(path)) return path;
  }
  const dangling = isLink(join(environment, 'bin/python')) || isLink(join(environment, 'bin/python3'));
  const state = dangling ? 'the Python that it was made with is gone' : 'it has no bin/python';
  throw missing(
    `Cannot use virtual environment "${environment}": ${state}`,
    'Make it again with python3 -m venv, and install the project into it.',
  );
}

/** Environments that Poetry and Pipenv keep elsewhere. uv and PDM keep theirs in `.venv`. */
function managed(directory: string, runAs: RunAs | null): Interpreter | Pick<Interpreter, 'doubt'> | null {
  const tools = [
    { file: 'poetry.lock', command: 'poetry', args: ['env', 'info', '--path'] },
    { file: 'Pipfile', command: 'pipenv', args: ['--venv'] },
  ];
  for (const { file, command, args } of tools) {
    const home = upwards(directory).find((parent) => existsSync(join(parent, file)));
    if (home === undefined) continue;
    const { status, stdout } = spawnSync(command, args, {
      cwd: home,
      encoding: 'utf8',
      timeout: TOOL_TIMEOUT_MS,
      ...identityOf(runAs),
    });
    const path = (stdout ?? '').trim().split('\n').at(-1) ?? '';
    if (status === 0 && path !== '') return { path: executableIn(path), source: command };
    const state = status === null ? `${command} cannot be run` : `${command} has made no environment`;
    return { doubt: `there is a ${file}, but ${state}: run "${command} install", or choose one with --python` };
  }
  return null;
}

/** Options of a child process that runs as `runAs`; it has no supplementary groups. */
export function identityOf(runAs: RunAs | null): { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } {
  if (runAs === null) return {};
  return { uid: runAs.uid, gid: runAs.gid, env: { ...process.env, HOME: runAs.home } };
}

function onPath(): Interpreter {
  for (const name of ['python3', 'python']) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(directory, name);
      if (directory !== '' && runnable(path)) return { path, source: 'PATH' };
    }
  }
  throw missing('Cannot find Python: there is no virtual environment here and no python3 on the PATH');
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

export function missing(message: string, advice = ADVICE): ViaductError {
  return new ViaductError('PYTHON_MISSING', message, { advice });
}
