import { request as send } from 'node:http';
import { request as sendSecurely } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { isRunning, tail } from './processes.mjs';

const START_MS = 30_000;

/**
 * Waits until a server gives the right answer to the measured request: a benchmark of error pages is worth nothing.
 *
 * @param {import('./stacks/index.mjs').Server} server
 * @param {import('./load.mjs').Request} request
 * @param {string | number | RegExp} answer the response's text, its length in bytes, or what the text matches
 */
export async function waitUntilReady(server, request, answer) {
  const deadline = Date.now() + START_MS;
  let last = 'no answer';
  while (Date.now() < deadline) {
    const ended = server.children.find((child) => !isRunning(child));
    if (ended !== undefined) throw new Error(`Cannot start ${server.name}: it ended\n${tail(server.log)}`);
    const response = await ask(server.port, request).catch((error) => ({ status: 0, text: error.message, bytes: 0 }));
    if (response.status === 200 && isAnswer(response, answer)) return;
    last = `${response.status} ${response.text.slice(0, 200)} (${response.bytes} bytes)`;
    await delay(50);
  }
  throw new Error(`Cannot start ${server.name}: not ready after ${START_MS / 1000} s: ${last}\n${tail(server.log)}`);
}

function isAnswer({ text, bytes }, answer) {
  return answer instanceof RegExp ? answer.test(text) : text === answer || bytes === answer;
}

function ask(port, { path, method = 'GET', fields = [], bodyBytes = 0, secure = false }) {
  const content = Buffer.alloc(bodyBytes, 'x');
  const headers = { ...Object.fromEntries(fields), Connection: 'close', 'Content-Length': bodyBytes };
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? sendSecurely : send)(
      { host: '127.0.0.1', port, path, method, headers, agent: false, timeout: 10_000, rejectUnauthorized: false },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks);
          resolve({ status: response.statusCode, bytes: body.length, text: body.toString('latin1') });
        });
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')));
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}
