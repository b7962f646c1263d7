import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { findProgram, inspectProgram, writeConfiguration } from './programs.mjs';

/** The C web server that was written for HTTP/2, for an answer of its own and static files. @type {import('./index.mjs').Stack} */
export const h2o = {
  inspect: () => inspectProgram('h2o'),
  start(job) {
    const { port, files, respond, streams, certificate, directory } = job;
    const configuration = writeConfiguration(job, 'h2o.conf', [
      ...(process.getuid?.() === 0 ? [`user: ${userInfo().username}`] : []),
      'num-threads: 1',
      'max-connections: 16384',
      ...(streams === undefined ? [] : [`http2-max-concurrent-requests-per-connection: ${streams}`]),
      'listen:',
      '  host: 127.0.0.1',
      `  port: ${port}`,
      '  ssl:',
      `    certificate-file: ${certificate.certificate}`,
      `    key-file: ${certificate.key}`,
      'hosts:',
      '  default:',
      '    paths:',
      ...(files === undefined ? [] : ['      /static:', `        file.dir: ${files}`]),
      ...(respond === undefined ? [] : ['      /:', `        file.file: ${answerFile(directory, respond)}`]),
    ]);
    return [startPinned(findProgram('h2o'), ['-c', configuration], job)];
  },
};

/** h2o has no directive for a fixed answer: a file is the fastest that it has, twice as fast as a handler in its built-in Ruby. */
function answerFile(directory, text) {
  const path = join(directory, 'answer.txt');
  writeFileSync(path, text);
  return path;
}
