import { startPinned } from '../processes.mjs';
import { inspectPackage, PYTHON, writeConfiguration } from './programs.mjs';

/** Alone, as far as it may be without a proxy: threads, so that one slow client does not hold the worker. @type {import('./index.mjs').Stack} */
export const gunicorn = {
  inspect: () => inspectPackage('gunicorn'),
  start: (job) => [startGunicorn(job, `127.0.0.1:${job.port}`)],
};

/**
 * Starts gunicorn at an address: sync workers with one thread, gthread with more.
 *
 * @param {import('./index.mjs').Job} job
 * @param {string} bind
 */
export function startGunicorn(job, bind) {
  const settings = writeConfiguration(job, 'gunicorn.conf.py', [
    `bind = ${JSON.stringify(bind)}`,
    `workers = ${job.workers}`,
    `threads = ${job.threads}`,
    `worker_class = "${job.threads > 1 ? 'gthread' : 'sync'}"`,
    `preload_app = ${job.preload === true ? 'True' : 'False'}`,
    `chdir = ${JSON.stringify(job.chdir)}`,
    'worker_tmp_dir = "/dev/shm"',
    'keepalive = 75',
    'control_socket_disable = True',
    'accesslog = None',
    'loglevel = "warning"',
  ]);
  return startPinned(PYTHON, ['-m', 'gunicorn', '--config', settings, job.application], job);
}
