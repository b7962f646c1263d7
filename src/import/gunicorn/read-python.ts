import { spawnSync } from 'node:child_process';
import { ViaductError } from '../../errors.ts';
import type { Statement } from '../import-report.ts';
import { refused } from '../refused.ts';
import { PYTHON_READER } from './python-reader.ts';

/** A Python value, as far as it can be read without running the file. */
export type PythonValue =
  | { readonly kind: 'literal'; readonly value: unknown }
  /** A number computed from the number of processors, and perhaps from variables. */
  | { readonly kind: 'processors'; readonly names: readonly string[] }
  /**
   * Computed from environment variables. `value` is that of their defaults, or null without one; `text` has `$NAME` in their places, and is
   * null where a shell could not compute it.
   */
  | {
      readonly kind: 'environment';
      readonly names: readonly string[];
      readonly value: unknown;
      readonly text: string | null;
    }
  | { readonly kind: 'function' }
  | { readonly kind: 'other' };

/** `name = value` at the top level of a Python file, or a function with this name. */
export interface Assignment extends Statement {
  readonly name: string;
  readonly value: PythonValue;
}

const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
const TIME_MS_MAX = 20_000;

/**
 * Reads the assignments of a Python file with Python's own parser. The file is not run.
 *
 * @throws ViaductError `SETTINGS` with the line of a syntax error, `PYTHON_MISSING` without a python3
 */
export function readPython(text: string, file: string): Assignment[] {
  const { stdout, stderr, error, status } = spawnSync('python3', ['-I', '-c', PYTHON_READER], {
    input: text,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: TIME_MS_MAX,
  });
  if (error !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') {
    throw new ViaductError('PYTHON_MISSING', `Cannot read ${file}: there is no python3 to read Python with`, {
      advice: 'Install Python 3.10 or later.',
      cause: error,
    });
  }
  if (error !== undefined || status !== 0) {
    throw new ViaductError('SETTINGS', `Cannot read ${file}: Python cannot parse it`, { cause: error ?? stderr });
  }
  const read = JSON.parse(stdout) as { line: number; error: string } | readonly Omit<Assignment, 'file'>[];
  if ('error' in read) throw refused({ file, line: read.line }, read.error);
  return read.map((one) => ({ ...one, file }));
}
