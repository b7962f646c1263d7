import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { APPS, inspectPackage, PYTHON } from './programs.mjs';

/** C server without limits, buffering or threads: what a request costs with next to nothing around it. @type {import('./index.mjs').Stack} */
export const bjoern = {
  inspect: () => inspectPackage('bjoern'),
  start(job) {
    const args = [join(APPS, 'serve_bjoern.py'), job.application, String(job.port)];
    return [startPinned(PYTHON, args, { ...job, cwd: job.chdir })];
  },
};
