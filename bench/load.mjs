import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runPinned } from './processes.mjs';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');
const PATIENCE_SECONDS = 30;

/**
 * A request that a load generator repeats.
 *
 * @typedef {object} Request
 * @property {string} path
 * @property {string} [method]
 * @property {readonly (readonly [string, string])[]} [fields] header fields besides `Host`
 * @property {number} [bodyBytes] length of the content
 * @property {boolean} [secure] by https
 * @property {number} [streams] by HTTP/2, so many at a time on each connection; by HTTP/1.1 when absent
 */

/**
 * Repeats a request with the load generator that speaks its protocol: `h2load` for HTTP/2, else `wrk`.
 *
 * @param {number} port of 127.0.0.1
 * @param {Request} request
 * @param {{ connections: number, seconds: number, core: number, directory: string }} options `directory` for the content of requests
 */
export function repeat(port, request, options) {
  return (request.streams === undefined ? runWrk : runH2load)(port, request, options);
}

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
 * Lets `h2load` (nghttp2) repeat a request by HTTP/2 over TLS. As `runWrk`.
 *
 * @param {number} port of 127.0.0.1
 * @param {Request} request
 * @param {{ connections: number, seconds: number, core: number, directory: string }} options
 */
export async function runH2load(port, request, { connections, seconds, core, directory }) {
  const { path, fields = [], bodyBytes = 0, streams } = request;
  const args = ['-t1', `-c${connections}`, `-m${streams}`, `-D${seconds}`];
  const head = fields.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const content = bodyBytes === 0 ? [] : ['-d', contentFile(directory, bodyBytes)];
  const url = `https://127.0.0.1:${port}${path}`;
  const timeoutMs = (seconds + PATIENCE_SECONDS) * 1000;
  return {
    ...readH2load(await runPinned('h2load', [...args, ...head, ...content, url], { core, timeoutMs })),
    seconds,
  };
}

/**
 * Reads the report of `h2load`. It fails unless each response has a status of 2xx and came by HTTP/2.
 *
 * @param {string} report
 * @returns {{ requests: number, bytes: number, failure: string | null }} `requests` answered with success, and what else went wrong
 */
export function readH2load(report) {
  const [, failed, errored, timeout] =
    /^requests: .* succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(report) ?? [];
  const [, succeeded, ...others] = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m.exec(report) ?? [];
  if (failed === undefined || succeeded === undefined) throw new Error(`Cannot read what h2load wrote: ${report}`);
  const [, protocol = 'unknown'] = /^Application protocol: (\S+)$/m.exec(report) ?? [];
  const requests = Number(succeeded);
  if (protocol !== 'h2') return { requests, bytes: 0, failure: `the protocol is "${protocol}" and not HTTP/2` };
  const status = others.map(Number).reduce((sum, count) => sum + count);
  const errors = { status, failed: Number(failed), errored: Number(errored), timeout: Number(timeout) };
  return { requests, bytes: 0, failure: failureOf(requests, errors) };
}

/** `h2load` takes content from a file. */
function contentFile(directory, bytes) {
  const path = join(directory, `content-${bytes}`);
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(bytes, 'x'));
  return path;
}

/**
 * Lets clients of `openssl s_time` ask for the root again and again, each over a new connection that resumes a TLS session.
 *
 * @param {number} port of 127.0.0.1
 * @param {{ clients: number, seconds: number, core: number }} options
 * @returns {Promise<{ requests: number, seconds: number, failure: string | null }>} `failure` when a session was not resumed, or an
 *   answer was not complete
 */
export async function resume(port, { clients, seconds, core }) {
  const args = ['s_time', '-connect', `127.0.0.1:${port}`, '-reuse', '-time', String(seconds), '-www', '/'];
  const started = performance.now();
  const options = { core, timeoutMs: (seconds + PATIENCE_SECONDS) * 1000 };
  const reports = await Promise.all(Array.from({ length: clients }, () => runPinned('openssl', args, options)));
  const results = reports.map(readSTime);
  return {
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    seconds: (performance.now() - started) / 1000,
    failure: results.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/**
 * Reads the report of `openssl s_time -reuse`: a letter for each connection, `r` if it resumed a session, and the sums.
 *
 * @param {string} report
 * @returns {{ requests: number, failure: string | null }}
 */
export function readSTime(report) {
  const [, count, bytes] = /^(\d+) connections in .*, bytes read (\d+)$/m.exec(report) ?? [];
  const [, letters] = /^starting\n(\S*)$/m.exec(report) ?? [];
  if (count === undefined || letters === undefined) throw new Error(`Cannot read what openssl wrote: ${report}`);
  const requests = Number(count);
  const full = letters.replaceAll('r', '').length;
  if (full > 0) return { requests, failure: `${full} × full handshake` };
  if (requests > 0 && Number(bytes) % requests !== 0)
    return { requests, failure: 'the answers have different lengths' };
  return { requests, failure: requests === 0 || Number(bytes) === 0 ? 'no request was answered' : null };
}
