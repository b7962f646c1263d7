import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildSteps, ROOT } from './steps.mjs';
import { watchFiles } from './watch-files.mjs';

/**
 * One build.
 *
 * @typedef {{ succeeded: boolean, output: string, seconds: number }} Compilation `output` has the errors
 */

/**
 * Builds a project now and after each change of its sources. It starts the compiler again each time: the compiler's own `--watch` sees no
 * changes in a directory near the root of the file system, such as that of a container.
 *
 * @param {string} directory where `tsconfig.json` and `src` are
 * @param {(compilation: Compilation) => void} onCompiled
 * @returns {() => void} a function that ends it
 */
export function compileAtChanges(directory, onCompiled) {
  let compiler = null;
  let isStale = false;
  let isStopped = false;
  const compile = () => {
    if (compiler !== null) {
      isStale = true;
      return;
    }
    step(buildSteps({ directory }), '', performance.now());
  };
  const step = ([args, ...further], before, started) => {
    // A process group of its own: the launcher would leave the compiler proper behind.
    compiler = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = before;
    for (const stream of [compiler.stdout, compiler.stderr]) stream.on('data', (block) => (output += block));
    compiler.on('close', (code) => {
      compiler = null;
      if (isStopped) return;
      if (isStale) {
        isStale = false;
        compile();
      } else if (code === 0 && further.length > 0) step(further, output, started);
      else onCompiled({ succeeded: code === 0, output, seconds: (performance.now() - started) / 1000 });
    });
  };
  const sources = directory === ROOT ? ['src', 'ui'] : ['src'];
  const stopWatching = watchFiles(
    sources.map((name) => join(directory, name)),
    /\.(?:tsx?|css|html)$/,
    compile,
  );
  compile();
  return () => {
    isStopped = true;
    stopWatching();
    if (compiler !== null) endGroup(compiler.pid);
  };
}

/** Ends a process and all that it has started in its group. */
export function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
