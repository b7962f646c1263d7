import { join } from 'node:path';
import { runPinned } from './processes.mjs';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');
const PATIENCE_SECONDS = 30;

/**
 * A request that `wrk` repeats.
 *
 * @typedef {object} Request
 * @property {string} path
 * @property {string} [method]
 * @property {readonly (readonly [string, string])[]} [fields] header fields besides `Host`
 * @property {number} [bodyBytes] length of the content
 * @property {boolean} [secure] by https
 */

/**
 * Lets `wrk` repeat a request over so many connections, each waiting for its response.
 *
 * @param {number} port of 127.0.0.1
 * @param {Request} request
 * @param {{ connections: number, seconds: number, core: number }} options
 * @returns {Promise<{ requests: number, seconds: number, bytes: number, failure: string | null }>} `failure` when one was not answered
 *   or not with success
 */
export async function runWrk(port, request, { connections, seconds, core }) {
  const { path, method = 'GET', fields = [], bodyBytes = 0, secure = false } = request;
  const wrk = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', SCRIPT];
  const script = [method, String(bodyBytes), ...fields.map(([name, value]) => `${name}: ${value}`)];
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}${path}`;
  const timeoutMs = (seconds + PATIENCE_SECONDS) * 1000;
  const stdout = await runPinned('wrk', [...wrk, url, '--', ...script], { core, timeoutMs });
  const summary = /^summary (\{.*\})$/m.exec(stdout)?.[1];
  if (summary === undefined) throw new Error(`Cannot read what wrk wrote: ${stdout}`);
  const { requests, microseconds, bytes, ...errors } = JSON.parse(summary);
  return { requests, seconds: microseconds / 1e6, bytes, failure: failureOf(requests, errors) };
}

function failureOf(requests, errors) {
  const failed = Object.entries(errors).filter(([, count]) => count > 0);
  if (failed.length > 0) return failed.map(([kind, count]) => `${count} × ${kind}`).join(', ');
  return requests === 0 ? 'no request was answered' : null;
}

/**
 * Lets `h2load` (nghttp2) get the root by HTTP/2 over TLS. As `runWrk`.
 *
 * @param {number} port of 127.0.0.1
 * @param {{ connections: number, streams: number, seconds: number, core: number }} options
 */
export async function runH2load(port, { connections, streams, seconds, core }) {
  const args = ['-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`, `https://127.0.0.1:${port}/`];
  const stdout = await runPinned('h2load', args, { core, timeoutMs: (seconds + PATIENCE_SECONDS) * 1000 });
  const [, done, failed, errored, timedOut] =
    /requests: .* (\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(stdout) ?? [];
  const [, succeeded] = /status codes: (\d+) 2xx/.exec(stdout) ?? [];
  if (done === undefined || succeeded === undefined) throw new Error(`Cannot read what h2load wrote: ${stdout}`);
  const errors = { failed: Number(failed), errored: Number(errored), timeout: Number(timedOut) };
  return { requests: Number(succeeded), seconds, bytes: 0, failure: failureOf(Number(succeeded), errors) };
}
