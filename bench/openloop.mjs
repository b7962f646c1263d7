// node openloop.mjs PORT SECONDS GROUPS
//
// Open-loop load: requests leave by the clock at random intervals, whether or not earlier ones have been answered, as visitors do. GROUPS
// is JSON, a list of groups of clients:
//
//   rate       requests per second of the whole group
//   path       what they ask for
//   every      each so many of them asks for slowPath instead; none when 0
//   slowPath
//   clients    addresses of 127/8, which send in random order. Without it, all come from 127.0.0.1
//   first      number of the first of these addresses
//
// Intervals come from a fixed seed: every server gets the same. Prints how late the requests left, and for each group how many were sent,
// answered, answered before the last one left, refused (503), refused without Retry-After, and failed otherwise, with percentiles in
// milliseconds of those answered, without the slow ones, and of those refused.
import { Agent, get } from 'node:http';
import { quantile } from './statistics.mjs';

const LAST_ANSWER_MS = 10_000;
const [port, seconds] = process.argv.slice(2, 4).map(Number);
const lateness = [];

const started = performance.now();
const end = started + seconds * 1000;
const groups = JSON.parse(process.argv[4]).map(start);
const clock = setInterval(tick, 1);

function start({ rate, path, every = 0, slowPath, clients = 1, first }, index) {
  const agents = Array.from({ length: clients }, (_, client) => {
    const options = { keepAlive: true, maxSockets: first === undefined ? 512 : Infinity, scheduling: 'lifo' };
    return new Agent(first === undefined ? options : { ...options, localAddress: address(first + client) });
  });
  const counts = { sent: 0, answered: 0, inTime: 0, refused: 0, withoutRetryAfter: 0, failed: 0 };
  const group = { path, every, slowPath, agents, ...counts, latencies: [], refusals: [] };
  const next = random(index + 1);
  /** Milliseconds to the next request: exponential, so that they arrive as a Poisson process. */
  const interval = () => (-Math.log(next()) * 1000) / rate;
  return Object.assign(group, { next, interval, due: started + interval() });
}

function tick() {
  const now = performance.now();
  for (const group of groups) {
    for (; group.due <= now && group.due < end; group.due += group.interval()) {
      lateness.push(now - group.due);
      send(group);
    }
  }
  if (groups.some(({ due }) => due < end)) return;
  const overdue = now > end + LAST_ANSWER_MS;
  if (groups.some(isWaiting) && !overdue) return;
  clearInterval(clock);
  finish();
}

function send(group) {
  group.sent++;
  const slow = group.every > 0 && group.sent % group.every === 0;
  const left = performance.now();
  const agent =
    group.agents.length === 1 ? group.agents[0] : group.agents[Math.floor(group.next() * group.agents.length)];
  const options = { host: '127.0.0.1', port, path: slow ? group.slowPath : group.path, agent };
  const request = get(options, (response) => {
    response.resume();
    response.on('end', () => count(group, response, performance.now() - left, slow));
  });
  request.on('error', () => group.failed++);
}

function count(group, { statusCode, headers }, ms, slow) {
  if (statusCode === 200) {
    group.answered++;
    if (performance.now() < end) group.inTime++;
    if (!slow) group.latencies.push(ms);
  } else if (statusCode === 503) {
    group.refused++;
    group.refusals.push(ms);
    if (!/^\d+$/.test(headers['retry-after'] ?? '')) group.withoutRetryAfter++;
  } else group.failed++;
}

function isWaiting({ sent, answered, refused, failed }) {
  return answered + refused + failed < sent;
}

function address(number) {
  return `127.0.${number >> 8}.${number & 255}`;
}

/** Numbers from 0 to 1: Park and Miller's generator. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function finish() {
  const results = groups.map(({ sent, answered, inTime, refused, withoutRetryAfter, latencies, refusals }) => ({
    sent,
    answered,
    inTime,
    refused,
    withoutRetryAfter,
    failed: sent - answered - refused,
    ...percentiles(latencies),
    refusalP99: percentiles(refusals).p99,
  }));
  const result = { lateP99: percentiles(lateness).p99, groups: results };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function percentiles(values) {
  values.sort((a, b) => a - b);
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}
