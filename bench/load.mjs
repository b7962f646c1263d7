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
  const { path, method = 'GET', fields = [], bodyBytes = 0 } = request;
  const wrk = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', SCRIPT];
  const script = [method, String(bodyBytes), ...fields.map(([name, value]) => `${name}: ${value}`)];
  const url = `http://127.0.0.1:${port}${path}`;
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
