import { join } from 'node:path';
import { startPinned } from '../processes.mjs';
import { APPS, COLLECTOR } from './programs.mjs';
import { viaduct } from './viaduct.mjs';

/** No HTTP: `tls.createServer` of Node, whose connections cost what any server in Node pays for TLS. @type {import('./index.mjs').Stack} */
export const bareTls = {
  inspect: () => ({ version: process.versions.node }),
  start(job) {
    const { certificate, key } = job.certificate;
    const args = [join(APPS, 'bare_tls.mjs'), String(job.port), certificate, key];
    return [startPinned(process.execPath, [...COLLECTOR, ...args], job)];
  },
  collect: viaduct.collect,
};
