import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The directory of the compiled program. This file is directly in it, and so is each chunk of the bundle that can hold it. No other module may
 * find files by its own place, because the bundle changes that.
 */
const PROGRAM = new URL('.', import.meta.url);

/** The absolute path of the Python package. */
export const PYTHON_PACKAGE = fileURLToPath(new URL('../python/viaduct_worker', PROGRAM));

/** The absolute path of a file of the compiled program; that of the program itself for ''. */
export function programFile(path: string): string {
  return fileURLToPath(new URL(path, PROGRAM));
}

/** The absolute path of a file of the Python package. */
export function pythonFile(name: string): string {
  return join(PYTHON_PACKAGE, name);
}
