import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { splitWords } from '../config/words.ts';
import { ViaductError } from '../errors.ts';
import { PYTHON_PACKAGE } from '../program-files.ts';
import { onPath, runnable } from '../project/interpreter.ts';
import type { Project } from '../project/project.ts';
import { outputFor } from './output.ts';

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

/** Starts a zygote by its command and options. */
export function spawnZygote(
  { directory, environment }: Project,
  command: readonly string[],
  options: object,
): ChildProcess {
  const [program = '', ...args] = command;
  return spawn(program, [...args, JSON.stringify(options)], {
    cwd: directory,
    env: { PYTHONUNBUFFERED: '1', ...process.env, ...environment },
    stdio: ['ignore', outputFor(1), outputFor(2)],
  });
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
