import { startPinned } from '../processes.mjs';
import { findProgram, inspectProgram, writeConfiguration } from './programs.mjs';

/** The web server in Go, for an answer of its own and static files. @type {import('./index.mjs').Stack} */
export const caddy = {
  inspect: () => inspectProgram('caddy', ['version']),
  start(job) {
    const { port, files, respond, certificate, directory } = job;
    const configuration = writeConfiguration(job, 'Caddyfile', [
      '{',
      '  admin off',
      '  persist_config off',
      '  auto_https off',
      `  storage file_system ${directory}/caddy`,
      '}',
      `https://:${port} {`,
      '  bind 127.0.0.1',
      `  tls ${certificate.certificate} ${certificate.key}`,
      ...(files === undefined ? [] : ['  handle_path /static/* {', `    root * ${files}`, '    file_server', '  }']),
      ...(respond === undefined ? [] : [`  respond ${JSON.stringify(respond)}`]),
      '}',
    ]);
    const args = ['run', '--config', configuration, '--adapter', 'caddyfile'];
    return [startPinned(findProgram('caddy'), args, { ...job, env: { HOME: directory } })];
  },
};
