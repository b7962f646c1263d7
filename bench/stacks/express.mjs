import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { gunicorn, startGunicorn } from './gunicorn.mjs';
import { APPS, inspectAll, inspectNodePackage, PYTHON } from './programs.mjs';
import { viaduct } from './viaduct.mjs';

/** A Django application mounted in Express. @type {import('./index.mjs').Stack} */
export const expressViaduct = {
  inspect: () => inspectAll(inspectNodePackage('express'), viaduct.inspect()),
  start(job) {
    const program = join(APPS, 'express_mounted.mjs');
    return [startPinned(process.execPath, [program, String(job.port), job.application, job.chdir, PYTHON], job)];
  },
};

/** The same application in gunicorn, to which Express passes on, with threads so that connections are kept. @type {import('./index.mjs').Stack} */
export const expressGunicorn = {
  inspect: () => inspectAll(inspectNodePackage('express'), gunicorn.inspect()),
  start(job) {
    const socket = join(job.directory, 'gunicorn.sock');
    const program = join(APPS, 'express_proxy.mjs');
    return [
      startGunicorn({ ...job, threads: 4 }, `unix:${socket}`),
      startPinned(process.execPath, [program, String(job.port), socket], job),
    ];
  },
};
