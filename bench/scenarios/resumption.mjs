import { cpuSeconds } from '../accounting.mjs';
import { resume } from '../load.mjs';
import { pidsOf } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';

const ANSWER = 'Hello, world!\n';
const CLIENTS = 4;

/**
 * Clients that come back: each request has a new connection, whose handshake goes on with the session of an earlier one. The clients
 * work more than the servers, so the value is for a second of the server's processor time, and not of the clock.
 *
 * @type {import('./index.mjs').Scenario}
 */
export const resumptionScenario = {
  id: 'tls-resumed',
  title: 'TLS, a resumed handshake for each request',
  unit: 'requests per second of processor time',
  better: 'higher',
  stacks: ['viaduct', 'nginx'],
  targets: { nginx: 0.8 },
  request: { path: '/', secure: true },
  answer: ANSWER,
  job: () => ({ application: 'hello:application', chdir: APPS, workers: 1, threads: 1, respond: ANSWER }),
  async warmUp(server, { cores }) {
    await resume(server.port, { clients: CLIENTS, seconds: 1, core: cores.load });
  },
  async sample(server, { cores, seconds }) {
    const before = cpuSeconds(pidsOf(server.children));
    const result = await resume(server.port, { clients: CLIENTS, seconds, core: cores.load });
    const cpu = cpuSeconds(pidsOf(server.children)) - before;
    const { requests, failure } = result;
    return { value: requests / cpu, failure, cpuMicros: (cpu / requests) * 1e6, coreShare: cpu / result.seconds };
  },
};
