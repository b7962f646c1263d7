import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Project } from './project.ts';

/** What a command needs of a project. */
export interface CommandProject {
  readonly directory: string;
  /** Absolute path of the interpreter. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The part of `project` that commands need. */
export function commandProject({ directory, python, environment }: Project): CommandProject {
  return { directory, python: python.path, environment };
}

/**
 * The words of a command as the project runs them: `python` and `python3` are its interpreter, and a file that ends in `.py` is run by it, whether
 * it may be executed or not. Every other program is looked up in PATH, which starts with the directory of the virtual environment.
 *
 * @param directory where the command runs
 */
export function projectCommand(words: readonly string[], python: string, directory: string): readonly string[] {
  const [first = '', ...others] = words;
  if (first === 'python' || first === 'python3') return [python, ...others];
  return first.endsWith('.py') && existsSync(resolve(directory, first)) ? [python, ...words] : words;
}
