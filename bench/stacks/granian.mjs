import { startPinned } from '../processes.mjs';
import { inspectPackage, PYTHON } from './programs.mjs';

/** Rust server. Where an application only computes, one blocking thread is its fastest setting. @type {import('./index.mjs').Stack} */
export const granian = {
  inspect: () => inspectPackage('granian'),
  start(job) {
    const address = ['--host', '127.0.0.1', '--port', String(job.port)];
    const size = ['--workers', String(job.workers), '--blocking-threads', String(job.threads)];
    const args = [
      '-m',
      'granian',
      '--interface',
      'wsgi',
      ...address,
      ...size,
      '--no-access-log',
      '--log-level',
      'warning',
    ];
    return [startPinned(PYTHON, [...args, job.application], { ...job, cwd: job.chdir })];
  },
};
