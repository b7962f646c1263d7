import { ViaductError } from '../../src/errors.ts';
import { contentMemory } from '../../src/http/buffering/content-memory.ts';
import type { Handler } from '../../src/http/handler.ts';
import { Response } from '../../src/http/response.ts';
import type { Project } from '../../src/project/project.ts';
import { ApplicationServer } from '../../src/workers/application-server.ts';
import { preloadOf } from '../../src/workers/preload.ts';
import { Client, type ClientWorld } from './client.ts';
import { drawScenario, type Scenario } from './conditions.ts';
import { fail, must } from './failure.ts';
import { FaultInjector } from './faults.ts';
import { PoolWatch } from './invariants.ts';
import { Machine } from './machine.ts';
import type { PythonWorld } from './python/worker.ts';
import type { Random } from './random.ts';
import { Requests } from './requests.ts';
import { WORLD } from './schedule.ts';

/** Everything must end within this simulated time, once nothing new happens. */
const END_MS_MAX = 600_000;
/** A timer of a stopped server may still wait for a message that is late, but not longer. */
const TIMERS_MS_MAX = 2000;
/** The function of Node, before the simulated one takes its place. */
const { setImmediate: setRealImmediate } = globalThis;

/** One simulated server from its start to its end. */
export class Epoch {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly python: PythonWorld;
  readonly requests: Requests;
  readonly #random: Random;
  readonly #watch: PoolWatch;
  readonly #clients = new Set<Client>();
  readonly #faults: FaultInjector;
  #server: ApplicationServer | null = null;
  #started = false;
  #reloads = 0;
  /** The handlers of releases on trial, and of the last one that was: old sites keep them for their last requests. */
  #handles: Handler[] = [];
  #phase: 'load' | 'quiet' | 'stopping' = 'load';

  constructor(random: Random) {
    this.#random = random;
    this.scenario = drawScenario(random);
    contentMemory.bytesMax = this.scenario.contentMemoryBytesMax;
    this.machine = new Machine(random, this.scenario.machine);
    this.requests = new Requests(this.scenario.retryIdempotent);
    const { machine, requests, scenario } = this;
    this.python = { machine, requests, traits: this.scenario.traits, badImports: true, workers: new Set() };
    this.#watch = new PoolWatch(this.scenario, machine);
    this.#faults = new FaultInjector(this.python, scenario.workerTimeoutMs > 0, () => void this.#reload());
  }

  /** Runs the server under load for about `steps` steps, and then to its end. */
  async run(steps: number): Promise<void> {
    const { scenario } = this;
    const server = new ApplicationServer(this.#options());
    this.#server = server;
    const started = outcomeOf(server.start());
    this.#injectFaults();
    await this.#drive('the start', () => started.state !== 'pending');
    if (started.state === 'done') {
      this.#started = true;
      this.#sendRequests(server);
      while (this.machine.schedule.steps < steps) await this.#step();
    }
    if (started.state === 'failed' || scenario.ending === 'at once') {
      this.#phase = 'stopping';
      for (const client of this.#clients) client.leave(); // as their connections are destroyed before
      server.destroy();
    } else await this.#stop(server);
    await this.#drive('the end of all processes', () => this.machine.processes.size + this.machine.children === 0);
    await this.#drive('the end of all sockets', () => [...this.machine.sockets].every((socket) => socket.closed));
    const { files } = this.machine;
    await this.#drive('the end of all timers', () => this.machine.timers === 0, TIMERS_MS_MAX);
    await this.#drive('the last client of a file', () => files.open.size === 0, TIMERS_MS_MAX);
    await this.#drive('the end of all content', () => contentMemory.held === 0, TIMERS_MS_MAX);
    this.#checkRemains();
  }

  async #stop(server: ApplicationServer): Promise<void> {
    this.#phase = 'quiet';
    this.#faults.end();
    if (this.scenario.ending === 'when idle') {
      await this.#drive('the end of all requests', () => this.#clients.size === 0);
      await this.#drive('the end of the reload', () => this.#reloads === 0);
      await this.#drive('lanes that can take requests again', () => this.#watch.isRested());
      await this.#drive('the removal of spool files', () => !this.#hasSpoolFiles());
    }
    this.#phase = 'stopping';
    const stopped = outcomeOf(server.stop());
    await this.#drive('the stop of the server', () => stopped.state === 'done');
    await this.#drive('the end of all requests after the stop', () => this.#clients.size === 0);
  }

  #checkMemory(): void {
    this.#watch.checkMemory();
    this.#watch.checkContent(this.#clients.size);
  }

  #hasSpoolFiles(): boolean {
    return [...this.machine.files.byPath.keys()].some((path) => path.includes('/body-'));
  }

  #checkRemains(): void {
    const { machine } = this;
    must(!machine.isListening, () => 'the server still listens');
    must(machine.files.open.size === 0, () => `the server left ${machine.files.open.size} descriptors open`);
    const [path] = machine.files.byPath.keys();
    must(path === undefined, () => `the file ${path} is left`);
  }

  /** Steps until `isDone`. It must become true within a time that is long for the simulated people. */
  async #drive(what: string, isDone: () => boolean, msMax = END_MS_MAX): Promise<void> {
    const { schedule } = this.machine;
    const endMs = schedule.nowMs + msMax;
    await promisesSettle();
    while (!isDone()) {
      if (schedule.nowMs > endMs) fail(`waited ${msMax / 1000} simulated seconds in vain for ${what}`);
      await this.#step();
    }
  }

  async #step(): Promise<void> {
    if (!this.machine.schedule.step()) fail('nothing will happen any more, but something should');
    this.#watch.check();
    if (this.machine.schedule.steps % 64 === 0) this.#checkMemory();
    await promisesSettle();
  }

  #sendRequests(server: ApplicationServer): void {
    const { machine, requests, scenario } = this;
    const { schedule } = machine;
    const random = this.#random;
    const world: ClientWorld = {
      machine,
      requests,
      habits: scenario.habits,
      idle: [],
      handle: (request, next) => random.pick([server.handle, ...this.#handles])(request, next),
      queueIsOpen: () => this.#phase !== 'stopping' && this.#watch.queueIsOpen,
      onOver: (client) => {
        this.#clients.delete(client);
        isRefused = client.entry.status === 503;
      },
    };
    let isRefused = false;
    const send = (): void => {
      if (this.#phase !== 'load') return;
      if (this.#clients.size < scenario.clients) {
        const client = new Client(world);
        this.#clients.add(client);
        client.start();
      }
      const usualMs = isRefused ? 20 * scenario.arrivalMs : scenario.arrivalMs;
      schedule.after(machine.server, 2 * usualMs * this.#random.fraction(), 'request', send);
    };
    send();
  }

  #injectFaults(): void {
    const { faults, faultMs } = this.scenario;
    const inject = (): void => {
      if (this.#phase !== 'load') return;
      this.#faults.inject(this.#random.pick(faults));
      this.machine.schedule.after(WORLD, 2 * faultMs * this.#random.fraction(), 'fault', inject);
    };
    if (faults.length > 0) inject();
  }

  async #reload(): Promise<void> {
    const server = this.#server;
    if (server === null || !this.#started || this.#phase !== 'load') return;
    this.#reloads += 1;
    const isPlain = this.#random.chance(0.5);
    try {
      if (isPlain) await server.reload();
      else {
        await server.prepare();
        if (this.#random.chance(0.8)) await this.#tryOut(server);
        if (this.#random.chance(0.5)) server.commit();
        else server.abandon(new ViaductError('WORKER', 'simulated'));
      }
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
    } finally {
      this.#reloads -= 1;
    }
  }

  /** Sends requests to the new release and to the old one for a while, in which everything may happen. */
  #tryOut(server: ApplicationServer): Promise<void> {
    server.tryOut();
    this.#handles = [server.preparedHandle];
    const { schedule } = this.machine;
    const lastsMs = this.#random.magnitude(1, 2000);
    return new Promise((resolve) => void schedule.after(WORLD, lastsMs, 'end of a trial', resolve));
  }

  #options(): ConstructorParameters<typeof ApplicationServer>[0] {
    const { scenario } = this;
    const { workers, threads, preload, startTimeoutMs, workerTimeoutMs, maxRequests, workersMin } = scenario;
    return {
      release: {
        ...{ project: PROJECT, workers, threads, preload: preloadOf(preload, false), software: 'viaduct' },
        ...{ listeners: [], environVariables: [] },
        ...{ startTimeoutMs, workerTimeoutMs, gracefulTimeoutMs: 1000 },
        // Random numbers of the program itself would make a seed irreproducible, so there is no jitter and no lifetime.
        limits: { maxRequests, maxRequestsJitter: 0, maxLifetimeMs: 0, maxRssBytes: 0 },
        hasTrial: true,
        watchMs: 100,
        ...(workersMin === 0 ? {} : { scaling: { workersMin, workersIdleMs: 1000 } }),
      },
      pool: {
        ...scenario,
        ...{ queueWaitMaxMs: 0, requestId: false, queueTime: false },
        ...{ requestTimeoutMs: 0, streamTimeoutMs: 0, requestGraceMs: 0 },
      },
      responseBufferBytesMax: scenario.responseBufferBytesMax,
      errorResponse: () => Response.text(500, 'simulated'),
      log: { info() {}, warn() {}, error() {} },
    };
  }
}

const PROJECT: Project = {
  directory: '/simulated/project',
  kind: 'wsgi',
  application: { module: 'simulated', callable: 'application', factory: false, arguments: '', name: '' },
  python: { path: '/simulated/python', version: '3.13.0', source: 'PATH' },
  environment: {},
  staticMounts: [],
  findings: [],
};

/** Lets everything happen that waits for a promise: a turn of the real event loop. */
function promisesSettle(): Promise<void> {
  return new Promise((resolve) => setRealImmediate(resolve));
}

interface Outcome {
  state: 'pending' | 'done' | 'failed';
}

function outcomeOf(promise: Promise<void>): Outcome {
  const outcome: Outcome = { state: 'pending' };
  promise.then(
    () => {
      outcome.state = 'done';
    },
    () => {
      outcome.state = 'failed';
    },
  );
  return outcome;
}
