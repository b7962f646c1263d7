import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { COLLECTOR, PYTHON, ROOT, writeConfiguration } from './programs.mjs';

/** Ours. @type {import('./index.mjs').Stack} */
export const viaduct = {
  inspect: () => ({ version: JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version }),
  start(job) {
    const application = [job.application, '--python', PYTHON];
    const workers = ['--workers', String(job.workers), '--threads', String(job.threads)];
    const serve = [
      join(job.root ?? ROOT, 'bin/viaduct.js'),
      ...(job.web === true ? ['web'] : application),
      '--chdir',
      job.chdir,
    ];
    const size = [...(job.web === true ? [] : workers), '--access-log', 'off'];
    const listen = ['--listen', `${job.certificate === undefined ? 'http' : 'https'}://127.0.0.1:${job.port}`];
    const processes = job.processes === undefined ? [] : ['--processes', String(job.processes)];
    const site = siteOf(job);
    const config = site.length === 0 ? [] : ['--config', writeConfiguration(job, 'viaduct.toml', site)];
    const files = job.files === undefined ? [] : ['--static', `/static/=${job.files}`];
    const collect = job.collectable === true ? COLLECTOR : [];
    return [
      startPinned(ownNode(job), [...collect, ...serve, ...size, ...processes, ...listen, ...files, ...config], job),
    ];
  },
  collect({ children }) {
    children[0].kill('SIGUSR2');
  },
};

/** A copy of Node when memory is measured: of the one that runs this benchmark it would share, and not count, the program's pages. */
function ownNode(job) {
  if (job.unshared !== true) return process.execPath;
  const copy = join(job.directory, 'node');
  copyFileSync(process.execPath, copy);
  return copy;
}

/** Lines of viaduct.toml; none where no configuration is needed. `site` may hold keys of no table, so it is first. */
function siteOf({ certificate, respond, paths = [], hosts = [], streams, backendUrls = [], balance, site = [] }) {
  const settings = streams === undefined ? [] : [`http2_streams_max = ${streams}`];
  const tls =
    certificate === undefined
      ? []
      : ['[tls]', `certificate = "${certificate.certificate}"`, `key = "${certificate.key}"`];
  const options = balance === undefined ? [] : [`proxy_options = { balance = "${balance}" }`];
  const proxy = backendUrls.length === 0 ? [] : ['[[route]]', `proxy = ${JSON.stringify(backendUrls)}`, ...options];
  const answer = respond === undefined ? [] : ['[[route]]', `respond = { body = ${JSON.stringify(respond)} }`];
  const below = paths.map((path) => route('path', `${path}*`, path));
  const named = hosts.map((host) => route('host', host, respond));
  return [...settings, ...site, ...tls, ...below, ...named, ...answer, ...proxy];
}

function route(key, value, body) {
  return `[[route]]\n${key} = "${value}"\nrespond = { body = ${JSON.stringify(body)} }`;
}
