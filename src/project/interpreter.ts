import { accessSync, constants, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import { runProgram } from './run-program.ts';

export interface Interpreter {
  readonly path: string;
  /** Where the interpreter was found, for people: a directory, a variable or a tool. */
  readonly source: string;
  /** Why it may be the wrong interpreter, and what to do. */
  readonly doubt?: string;
}

/** The user that runs the project's code. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const ADVICE = 'Install Python 3.10 or later, or choose one with --python.';
export const PERMISSION =
  'Let this user read and execute it, and enter all directories above it; or choose another Python with --python.';
const TOOL_TIMEOUT_MS = 10_000;

/**
 * Finds the interpreter of the project in `directory`. The first of these is used:
 * 1. `python`, an executable or an environment;
 * 2. a virtual environment in the project, above it, or beside a manage.py one level below;
 * 3. the active environment;
 * 4. the environment of Poetry or Pipenv;
 * 5. python3 on the PATH.
 *
 * An environment in the project precedes the active one, because a shell is often still in the environment of another
 * project.
 *
 * @throws ViaductError `PYTHON_MISSING`.
 */
export async function findInterpreter(
  directory: string,
  python: string | null,
  runAs: RunAs | null = null,
): Promise<Interpreter> {
  if (python !== null) return fromPath(python);
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
  const toolResult = await fromTool(directory, runAs);
  return toolResult === null || 'path' in toolResult
    ? (toolResult ?? pythonOnPath())
    : { ...pythonOnPath(), ...toolResult };
}

function fromPath(python: string): Interpreter {
  const state = notFound(python);
  if (state !== null)
    throw missing(`Cannot use Python "${python}": ${state}`, state === NO_PERMISSION ? PERMISSION : ADVICE);
  if (statSync(python).isDirectory()) return { path: executableIn(python), source: '--python' };
  return { path: resolve(python), source: '--python' };
}

/** `directory` and its parents, up to the root of the repository or the home directory. */
function upwards(directory: string): string[] {
  const directories: string[] = [];
  const home = homeDirectory();
  for (let at = directory; ; at = dirname(at)) {
    directories.push(at);
    if (existsSync(join(at, '.git')) || at === home || dirname(at) === at) return directories;
  }
}

/** Subdirectories with a project of their own, as in a repository that also contains a front end. */
function projectsBelow(directory: string): string[] {
  try {
    const paths = readdirSync(directory).map((name) => join(directory, name));
    return paths.filter((path) => existsSync(join(path, 'manage.py')));
  } catch {
    return []; // a directory that cannot be listed can still be served
  }
}

/** The interpreter of an environment. A system upgrade often leaves a dangling link. */
function executableIn(environment: string): string {
  for (const name of ['bin/python', 'bin/python3']) {
    const path = join(environment, name);
    if (runnable(path)) return path;
  }
  const paths = [join(environment, 'bin/python'), join(environment, 'bin/python3')];
  const isThere = paths.some((path) => existsSync(path) || notFound(path) === NO_PERMISSION);
  if (isThere)
    throw missing(`Cannot use virtual environment "${environment}": this user may not execute its Python`, PERMISSION);
  const state = paths.some(isLink) ? 'its Python no longer exists' : 'it has no bin/python';
  throw missing(
    `Cannot use virtual environment "${environment}": ${state}`,
    'Create it again with python3 -m venv, and install the project into it.',
  );
}

/** The environment that Poetry or Pipenv keeps elsewhere. uv and PDM use `.venv`. */
async function fromTool(
  directory: string,
  runAs: RunAs | null,
): Promise<Interpreter | Pick<Interpreter, 'doubt'> | null> {
  const tools = [
    { file: 'poetry.lock', command: 'poetry', args: ['env', 'info', '--path'] },
    { file: 'Pipfile', command: 'pipenv', args: ['--venv'] },
  ];
  for (const { file, command, args } of tools) {
    const home = upwards(directory).find((parent) => existsSync(join(parent, file)));
    if (home === undefined) continue;
    const options = { cwd: home, timeoutMs: TOOL_TIMEOUT_MS, ...identityOf(runAs) };
    const { status, stdout } = await runProgram(command, args, options);
    const path = stdout.trim().split('\n').at(-1) ?? '';
    if (status === 0 && path !== '') return { path: executableIn(path), source: command };
    const state = status === null ? `${command} cannot be run` : `${command} has no environment for this project`;
    return { doubt: `there is a ${file}, but ${state}: run "${command} install", or choose one with --python` };
  }
  return null;
}

/** Options of a child process that runs as `runAs`, without supplementary groups. */
export function identityOf(runAs: RunAs | null): { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } {
  if (runAs === null) return {};
  return { uid: runAs.uid, gid: runAs.gid, env: { ...process.env, HOME: runAs.home } };
}

function pythonOnPath(): Interpreter {
  const path = onPath('python3') ?? onPath('python');
  if (path !== null) return { path, source: 'PATH' };
  throw missing('Cannot find Python: there is no virtual environment here and no python3 on the PATH');
}

/** The first program of this name in the directories of PATH; null if there is none. */
export function onPath(name: string): string | null {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return directories.map((directory) => join(directory, name)).find(runnable) ?? null;
}

const NO_PERMISSION = 'this user may not execute it';

/** Why there is nothing at `path` that this user could run; null if there is something. A directory without permission hides its files. */
function notFound(path: string): string | null {
  try {
    statSync(path);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? NO_PERMISSION : 'there is no such file';
  }
}

/** The home directory of this user; '' for a user without one, as in containers that run as a number. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

/** Whether there is a file that this user may execute. */
export function runnable(path: string): boolean {
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

/** `output` is what the interpreter has written; one line of it is in `message` already. */
export function missing(message: string, advice = ADVICE, output = ''): ViaductError {
  const cause = output.trim().includes('\n') ? { cause: output } : {};
  return new ViaductError('PYTHON_MISSING', message, { advice, ...cause });
}
