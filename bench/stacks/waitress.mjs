import { startPinned } from '../processes.mjs';
import { inspectPackage, PYTHON } from './programs.mjs';

/** Pure Python, one process, no access log of its own. Fewer than its default of four threads is not what one would run. @type {import('./index.mjs').Stack} */
export const waitress = {
  inspect: () => inspectPackage('waitress'),
  start(job) {
    const threads = String(Math.max(4, job.threads));
    const args = ['-m', 'waitress', '--listen', `127.0.0.1:${job.port}`, '--threads', threads, job.application];
    return [startPinned(PYTHON, args, { ...job, cwd: job.chdir })];
  },
};
