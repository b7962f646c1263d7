import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startPinned } from './processes.mjs';
import { startNginx } from './stacks/nginx.mjs';
import { startUwsgi } from './stacks/nginx-uwsgi.mjs';
import { APPS, makeCertificate } from './stacks/programs.mjs';

function node(program, args, options) {
  return startPinned(process.execPath, [join(APPS, program), ...args.map(String)], options);
}

/**
 * Makes what a job needs beside its stack: files, a certificate, a backend. A backend runs on the load generator's core and is not
 * counted.
 *
 * @param {Partial<import('./stacks/index.mjs').Job> & { file?: number, tls?: boolean, backend?: number, backendAddresses?: readonly string[],
 *   uwsgi?: boolean, delays?: readonly number[], endpoints?: number, changes?: number, twoCores?: boolean }} wanted `backendAddresses`: where
 *   each of the backends listens besides 127.0.0.1
 * @param {{ port: number, directory: string, log: string, cores: { server: number, load: number } }} place
 * @returns {Promise<import('./stacks/index.mjs').Job>}
 */
export async function completeJob(
  {
    file,
    tls = false,
    backend = 0,
    backendAddresses = [],
    uwsgi = false,
    delays = [],
    endpoints = 0,
    changes = 0,
    twoCores = false,
    ...job
  },
  place,
) {
  const { port, directory, log, cores } = place;
  const core = twoCores ? `${cores.server},${cores.server + 1}` : cores.server;
  const complete = { ...job, port, directory, log, core, helpers: [] };
  if (tls) complete.certificate = await makeCertificate(directory);
  if (file !== undefined) {
    complete.files = join(directory, 'files');
    mkdirSync(complete.files);
    writeFileSync(join(complete.files, 'processes.bin'), Buffer.alloc(file, 'viaduct '));
  }
  complete.backendUrls = [];
  for (let index = 0; index < backend; index++) {
    const backendDirectory = join(directory, `backend-${index}`);
    mkdirSync(backendDirectory);
    const backendPort = await freePort();
    const answer = ['location / { return 200 "Hello, world!\\n"; }'];
    const addresses = backendAddresses;
    const backendJob = { directory: backendDirectory, port: backendPort, addresses, log, core: cores.load };
    complete.helpers.push(startNginx(backendJob, answer));
    complete.backendUrls.push(...['127.0.0.1', ...addresses].map((address) => `http://${address}:${backendPort}`));
  }
  for (const ms of delays) {
    const backendPort = await freePort();
    complete.helpers.push(node('delayed.mjs', [backendPort, ms], { log, core: cores.load }));
    complete.backendUrls.push(`http://127.0.0.1:${backendPort}`);
  }
  if (endpoints > 0) {
    const api = await freePort();
    complete.helpers.push(node('endpoint_slices.mjs', [api, endpoints / 100, changes], { log, core: cores.load }));
    complete.site = [
      '[[route]]\npath = "/ready"\nrespond = { body = "ready" }',
      '[[route]]\npath = "/*"\nproxy = "kubernetes+http://shop/web:http"',
      `[route.proxy_options.discovery]\nkubernetes_api = "http://127.0.0.1:${api}"`,
    ];
  }
  if (uwsgi) {
    const socket = join(directory, 'backend.sock');
    complete.helpers.push(startUwsgi({ ...complete, core: cores.load }, socket));
    complete.backendUrls.push(`uwsgi://unix:${socket}`);
  }
  return complete;
}
