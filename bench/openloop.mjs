// node openloop.mjs PORT RATE SECONDS EVERY SLOW_PATH
//
// Open-loop load: requests leave by the clock at random intervals, whether or not earlier ones have been answered, as visitors do.
// Each EVERYth asks for SLOW_PATH (none when 0), the others for /fast. Intervals come from a fixed seed: every server gets the same.
// Prints percentiles of the fast ones in milliseconds, and how late the requests left.
import { Agent, get } from 'node:http';
import { quantile } from './statistics.mjs';

const LAST_ANSWER_MS = 10_000;
const [port, rate, seconds, every] = process.argv.slice(2, 6).map(Number);
const slowPath = process.argv[6];
const agent = new Agent({ keepAlive: true, maxSockets: 512, scheduling: 'lifo' });
const latencies = [];
const lateness = [];
let [sent, answered, failed] = [0, 0, 0];
let random = 1;

const started = performance.now();
const end = started + seconds * 1000;
let due = started + interval();
const clock = setInterval(tick, 1);

function tick() {
  const now = performance.now();
  for (; due <= now && due < end; due += interval()) {
    lateness.push(now - due);
    send();
  }
  if (due < end) return;
  const overdue = now > end + LAST_ANSWER_MS;
  if (answered + failed < sent && !overdue) return;
  clearInterval(clock);
  finish();
}

function send() {
  sent++;
  const slow = every > 0 && sent % every === 0;
  const left = performance.now();
  const request = get({ host: '127.0.0.1', port, path: slow ? slowPath : '/fast', agent }, (response) => {
    response.resume();
    response.on('end', () => {
      if (response.statusCode !== 200) failed++;
      else answered++;
      if (!slow) latencies.push(performance.now() - left);
    });
  });
  request.on('error', () => failed++);
}

/** Milliseconds to the next request: exponential, so that they arrive as a Poisson process. Park and Miller's generator. */
function interval() {
  random = (random * 48271) % 2147483647;
  return (-Math.log(random / 2147483647) * 1000) / rate;
}

function finish() {
  latencies.sort((a, b) => a - b);
  lateness.sort((a, b) => a - b);
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const result = { requests: sent, failed: sent - answered, p50, p99, lateP99: quantile(lateness, 0.99) };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
