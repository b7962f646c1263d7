import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { ViaductError } from '../../errors.ts';
import { dropPrivileges, findIdentity } from '../../os/process-user.ts';
import { type CommandProject, commandProject, findProgram, projectCommand } from '../../project/command.ts';
import { findInterpreter } from '../../project/interpreter.ts';
import { findApplications } from '../../site/find-applications.ts';
import { type LoadedConfiguration, loadConfiguration } from '../../site/load-configuration.ts';
import type { Arguments } from '../arguments.ts';
import { reportError } from '../output.ts';
import { workingDirectory } from '../working-directory.ts';

/** As of shells: the program was not found, or may not be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Signals that this process passes on. */
const PASSED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;
/** Those that a terminal sends to the command itself, because it sends them to all processes in its foreground. */
const OF_TERMINALS = ['SIGINT', 'SIGQUIT'] as const;
/** This process ends by the same signal as the command, so that a shell or a service manager sees what has happened. */
const ENDING: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL']);

/**
 * `viaduct exec`: runs a command as a worker would run it: with the interpreter, the variables, the working directory and the user of the project.
 * It has the terminal and the standard streams of this process. Needs no server. Resolves to the exit code of the command.
 */
export async function exec(parsed: Arguments): Promise<number> {
  const cwd = workingDirectory();
  const { flags, errors, words } = parsed;
  const loaded = await loadConfiguration({ flags, errors, environment: process.env, cwd });
  if (words.length === 0) {
    throw new ViaductError('USAGE', 'Cannot run a command: none is given', {
      advice: 'Write it behind the flags: viaduct exec manage.py migrate, or viaduct exec -- pytest -q.',
    });
  }
  const identity = findIdentity(loaded.settings.user, loaded.settings.group);
  const project = await findProject(loaded, cwd, identity);
  if (identity !== null) dropPrivileges(identity);
  const [program = '', ...args] = projectCommand(words, project.python, project.directory);
  const { directory, environment } = project;
  const env = { ...process.env, ...environment };
  const found = findProgram(program, directory, env.PATH ?? '');
  if ('missing' in found) return report(program, found.missing === 'file' ? NOT_FOUND : NOT_EXECUTABLE, env);
  return await run(() => spawn(found.path, args, { argv0: program, cwd: directory, env, stdio: 'inherit' }), program);
}

/** The project; without an application, which a command may be about to make, only its interpreter. */
async function findProject(
  loaded: LoadedConfiguration,
  cwd: string,
  identity: ReturnType<typeof findIdentity>,
): Promise<CommandProject> {
  const { settings } = loaded;
  const directory = settings.chdir ?? cwd;
  try {
    const { project } = await findApplications({ ...loaded, site: null }, cwd, { runAs: identity, searches: true });
    if (project !== null) return commandProject(project);
  } catch (error) {
    if (!(error instanceof ViaductError) || error.code !== 'APPLICATION_MISSING') throw error;
  }
  const { path, source } = await findInterpreter(directory, settings.python, identity);
  const bin = dirname(path);
  const isEnvironment = statSync(resolve(bin, '../pyvenv.cfg'), { throwIfNoEntry: false }) !== undefined;
  const environment =
    source === 'PATH' || !isEnvironment
      ? {}
      : { VIRTUAL_ENV: dirname(bin), PATH: [bin, process.env.PATH ?? ''].join(delimiter) };
  return { directory, python: path, environment };
}

function report(program: string, code: number, { VIRTUAL_ENV }: NodeJS.ProcessEnv): number {
  const where = VIRTUAL_ENV === undefined ? 'in the PATH' : `in ${VIRTUAL_ENV}/bin or the PATH`;
  const isPath = program.includes('/');
  const state =
    code === NOT_EXECUTABLE ? 'this user may not execute it' : `there is no such program${isPath ? '' : ` ${where}`}`;
  const advice =
    code === NOT_EXECUTABLE
      ? 'Let this user execute it: chmod +x.'
      : isPath
        ? 'Check the path. It starts at the directory of the project.'
        : "Install it in the project's virtual environment, or write its path.";
  reportError(new ViaductError('USAGE', `Cannot run "${program}": ${state}`, { advice }), null);
  return code;
}

/** Handles signals before the command starts: one that ends this process would leave the command alone. */
function run(start: () => ChildProcess, program: string): Promise<number> {
  const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of PASSED) process.on(signal, passOn);
  for (const signal of OF_TERMINALS) process.on(signal, hasTerminal ? () => {} : passOn);
  const child = start();
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal that came too late
      const state = error.code === 'ENOENT' ? 'the program that its first line names does not exist' : error.message;
      reportError(new ViaductError('USAGE', `Cannot run "${program}": ${state}`), null);
      resolve(NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => {
      if (signal === null) resolve(code ?? 1);
      else {
        if (ENDING.has(signal)) {
          process.removeAllListeners(signal);
          process.kill(process.pid, signal);
        }
        resolve(128 + constants.signals[signal]);
      }
    });
  });
}
