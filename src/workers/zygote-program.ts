import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { splitWords } from '../config/words.ts';
import { ViaductError } from '../errors.ts';
import { PYTHON_PACKAGE } from '../program-files.ts';
import { onPath, runnable } from '../project/interpreter.ts';
import type { Project } from '../project/project.ts';
import { EarlyErrors } from './early-errors.ts';
import { NO_HOOKS } from './hooks.ts';
import { isInit } from './os-process.ts';
import { outputFor, passOn } from './output.ts';
import type { ReleaseOptions } from './release-options.ts';
import { type Runtime, socketIn } from './runtime.ts';

/**
 * The program that becomes a zygote and its arguments, but for the last one: the options of the zygote as JSON. With
 * `wrap`, a command line, the program is that of the command, and it starts the interpreter.
 *
 * @throws ViaductError `USAGE` when there is no such program
 */
export function zygoteCommand(project: Project, wrap: string | null): string[] {
  const interpreter = [project.python.path, PYTHON_PACKAGE];
  const [program, ...args] = wrap === null ? [] : (splitWords(wrap) ?? []);
  return program === undefined ? interpreter : [find(program, project), ...args, ...interpreter];
}

/** The options of the zygote of a release; messages.py says what they are. */
export function zygoteOptions(
  number: number,
  options: ReleaseOptions,
  command: readonly string[],
  runtime: Runtime,
): Readonly<Record<string, unknown>> {
  const {
    project,
    middleware = [],
    hooks = NO_HOOKS,
    runsHooks = true,
    applicationMetrics = false,
    tracing = false,
    describesFailures = false,
    listeners,
  } = options;
  const directory = runtime.directory();
  return {
    socket: socketIn(directory),
    runtime: directory,
    spool: runtime.spoolDirectory(),
    release: number,
    directory: project.directory,
    ...project.application,
    middleware: middleware.map(({ path, options }) => ({ path, options })),
    hooks,
    runs_hooks: runsHooks,
    application_metrics: applicationMetrics,
    tracing,
    describes_failures: describesFailures,
    preload: options.preload,
    command,
    threads: options.threads,
    multiprocess: options.workers > 1 || options.shared === true,
    software: options.software,
    environ_variables: options.environVariables,
    capture_output: options.captureOutput === true,
    adopts: isInit(),
    listeners: listeners.map((listener) => ({ ...listener, 'wsgi.url_scheme': 'http' })), // requests over https say so
  };
}

/** The descriptor of standard error in an interpreter that gets a pipe until it takes signals. */
const ERRORS = 4;

/**
 * Starts a zygote by its command and options, and passes on what it writes. `early` holds what an interpreter writes before it takes signals; null if
 * nothing is held. A command around the interpreter always writes at once.
 */
export function spawnZygote(
  { directory, environment }: Project,
  command: readonly string[],
  options: object,
  wrap: string | null,
): { readonly child: ChildProcess; readonly early: EarlyErrors | null } {
  const [program = '', ...args] = command;
  const isLate = wrap === null && outputFor(2) === 'inherit';
  const child = spawn(program, [...args, JSON.stringify(options), ...(isLate ? [`${ERRORS}`] : [])], {
    cwd: directory,
    env: { PYTHONUNBUFFERED: '1', ...process.env, ...environment },
    stdio: isLate ? ['ignore', outputFor(1), 'pipe', 'ignore', 2] : ['ignore', outputFor(1), outputFor(2)],
  });
  passOn(child.stdout, process.stdout);
  if (isLate) return { child, early: new EarlyErrors(child) };
  passOn(child.stderr, process.stderr);
  return { child, early: null };
}

/** The absolute path of a program: a path from the project's directory, or a name beside the interpreter or on the PATH. */
function find(program: string, { python, directory }: Project): string {
  const isPath = program.includes('/');
  const beside = dirname(python.path);
  const path = resolve(isPath ? directory : beside, program);
  const found = runnable(path) ? path : isPath ? null : onPath(program);
  if (found !== null) return found;
  const state = isPath ? 'there is no such program' : `there is no such program in ${beside} or on the PATH`;
  throw new ViaductError('USAGE', `Cannot wrap the interpreter in "${program}": ${state}`, {
    advice: "Install it in the project's virtual environment, or write its path in the setting wrap.",
  });
}
