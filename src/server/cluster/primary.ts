import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { ViaductError } from '../../errors.ts';
import type { Log } from '../../log/log.ts';
import type { Identity } from '../../os/process-user.ts';
import { type BackendChange, mergeBackends, type RouteBackends } from '../../proxy/backend-control.ts';
import type { Configuration } from '../../site/configuration.ts';
import { outputFor } from '../../workers/output.ts';
import { RestartPolicy } from '../../workers/restart-policy.ts';
import type { RunningServer } from '../server.ts';
import { passLines } from './forward-output.ts';
import { frontConfiguration } from './process-configuration.ts';
import { FrontProcess } from './server-process.ts';

export interface PrimaryOptions {
  /** Validated; `listen` holds no `systemd` any more. */
  readonly configuration: Configuration;
  readonly identity: Identity | null;
  readonly log: Log;
  readonly logFormat: 'text' | 'json';
}

export interface RunningFronts extends RunningServer {
  readonly pids: readonly number[];
  /** Resolves when the fronts cannot be brought back; the server is to be ended then. */
  readonly lost: Promise<ViaductError>;
  /** Whether the event loops of all fronts turn. */
  isAlive(): boolean;
}

/**
 * Starts `fronts` front processes and keeps them alive. The first one must serve before the others begin, so that what is wrong is
 * told once. Nothing is left running when it fails.
 *
 * @throws ViaductError as `startServer` does.
 */
export async function startFronts(options: PrimaryOptions): Promise<RunningFronts> {
  const primary = new Primary(options);
  try {
    await primary.start();
  } catch (error) {
    primary.kill();
    throw error;
  }
  return primary;
}

const FRONT_PROGRAM = fileURLToPath(new URL('./process-server.js', import.meta.url));

/** Fronts show life once a second. */
const LIFE_SIGN_MS_MAX = 5000;

/** A front that has not stopped this long after it should have never will. */
const STUCK_MS = 5000;

/** One place for a front, which is filled again when its process dies. */
interface Place {
  readonly index: number;
  readonly policy: RestartPolicy;
  front: FrontProcess | null;
  timer: NodeJS.Timeout | null;
}

/**
 * The primary: it owns the front processes and the listening sockets that they share, and sees no request. Each front has its own
 * connections, queue and workers, so a front that dies takes only these along.
 */
class Primary implements RunningFronts {
  readonly lost: Promise<ViaductError>;
  readonly #options: PrimaryOptions;
  #configuration: Configuration;
  readonly #places: readonly Place[];
  #state: 'starting' | 'serving' | 'stopping' = 'starting';
  #reloading = false;
  /** What people have changed about backends: a front that is started anew learns it. */
  readonly #changes = new Map<string, BackendChange>();
  #lose: (error: ViaductError) => void = () => {};
  #stuck = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#places = Array.from({ length: options.configuration.settings.fronts }, (_, index) => ({
      index,
      policy: new RestartPolicy(),
      front: null,
      timer: null,
    }));
  }

  get urls(): readonly string[] {
    return this.#fronts[0]?.urls ?? [];
  }

  get pids(): readonly number[] {
    return this.#fronts.map(({ pid }) => pid);
  }

  /** As the fronts last said, up to a second ago. */
  get connections(): number {
    return this.#fronts.reduce((sum, { connections }) => sum + connections, 0);
  }

  isAlive(): boolean {
    const now = performance.now();
    const stuck = this.#fronts.filter(
      ({ state, lifeSignMs }) => state !== 'gone' && now - lifeSignMs > LIFE_SIGN_MS_MAX,
    );
    if (stuck.length > 0 && !this.#stuck) {
      this.#options.log.error('Fronts do not respond', { pids: stuck.map(({ pid }) => pid).join(' ') });
    }
    this.#stuck = stuck.length > 0;
    return !this.#stuck;
  }

  async start(): Promise<void> {
    // The kernel hands connections out: no front waits for the primary, and none has connections that it never gets to see.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    const stdio = ['ignore', outputFor(1), outputFor(2), 'ipc'] as const;
    cluster.setupPrimary({ exec: FRONT_PROGRAM, args: [], stdio: [...stdio], serialization: 'advanced' });
    const [first, ...others] = this.#places as [Place, ...Place[]];
    await this.#launch(first);
    await Promise.all(others.map((place) => this.#launch(place)));
    if (this.#fronts.some(({ state }) => state === 'gone')) {
      throw new ViaductError('WORKER', 'Cannot start the fronts: one ended at once');
    }
    this.#state = 'serving';
  }

  async reload(configuration: Configuration): Promise<void> {
    if (this.#reloading) throw new ViaductError('WORKER', 'Cannot start a release: another one is starting');
    this.#reloading = true;
    try {
      for (const place of this.#places) await this.#reloadPlace(place, configuration);
      this.#configuration = configuration;
    } finally {
      this.#reloading = false;
    }
  }

  async backends(): Promise<readonly RouteBackends[]> {
    const answers = await Promise.all(this.#fronts.map((front) => front.ask({ about: 'backends' })));
    return mergeBackends(answers.filter((answer) => Array.isArray(answer)));
  }

  async changeBackend(name: string, change: BackendChange): Promise<boolean> {
    const question = { about: 'backend', name, change } as const;
    const answers = await Promise.all(this.#fronts.map((front) => front.ask(question)));
    if (!answers.includes(true)) return false;
    this.#changes.set(name, { ...this.#changes.get(name), ...change });
    return true;
  }

  async stop(): Promise<void> {
    this.#state = 'stopping';
    for (const place of this.#places) {
      if (place.timer !== null) clearTimeout(place.timer);
      if (place.front?.state === 'ready') place.front.send({ kind: 'stop' });
      else place.front?.kill();
    }
    const timer = setTimeout(() => this.kill(), this.#configuration.settings.gracefulTimeoutMs + STUCK_MS);
    await Promise.all(this.#fronts.map(({ exited }) => exited));
    clearTimeout(timer);
  }

  kill(): void {
    this.#state = 'stopping';
    for (const { front, timer } of this.#places) {
      if (timer !== null) clearTimeout(timer);
      front?.kill();
    }
  }

  get #fronts(): FrontProcess[] {
    return this.#places.map(({ front }) => front).filter((front) => front !== null);
  }

  /** Starts a process in `place`; resolves when it serves. */
  #launch(place: Place): Promise<void> {
    const { identity, logFormat } = this.#options;
    const worker = cluster.fork();
    passLines(worker.process.stdout, process.stdout);
    passLines(worker.process.stderr, process.stderr);
    const configuration = frontConfiguration(this.#configuration, place.index);
    const front = new FrontProcess(worker, { configuration, identity, logFormat });
    place.front = front;
    void front.exited.then((how) => this.#ended(place, front, how));
    return front.started.then(() => {
      for (const [name, change] of this.#changes) void front.ask({ about: 'backend', name, change });
    });
  }

  #ended(place: Place, front: FrontProcess, how: string): void {
    if (this.#state !== 'serving') return;
    place.front = null;
    if (front.failure !== null) this.#options.log.error(describe(front.failure));
    const ended = `front ${place.index + 1} (pid ${front.pid}) ended ${how}`;
    // What was inherited is gone with the last process that had it; whoever passed it still holds it, and can pass it again.
    if (this.#hasInherited() && this.#fronts.every(({ state }) => state !== 'ready')) {
      this.#options.log.error(ended);
      this.#lose(inheritedLost());
      return;
    }
    const delayMs = place.policy.delayAfter(performance.now() - front.bornMs);
    this.#options.log.error(`${ended}; a new one follows${delayMs === 0 ? '' : ` in ${delayMs} ms`}`);
    this.#launchLater(place, delayMs);
  }

  #hasInherited(): boolean {
    return this.#configuration.settings.listen.some((address) => address.startsWith('fd:'));
  }

  /** While no front serves, one at a time: the first binds the addresses, which the others must not find half bound. */
  #launchLater(place: Place, delayMs: number): void {
    place.timer = setTimeout(() => {
      place.timer = null;
      if (this.#state !== 'serving') return;
      const fronts = this.#fronts;
      const starting = fronts.find(({ state }) => state === 'starting');
      if (starting === undefined || fronts.some(({ state }) => state === 'ready')) this.#launch(place).catch(() => {});
      else starting.started.finally(() => this.#launchLater(place, 0)).catch(() => {});
    }, delayMs);
  }

  async #reloadPlace({ index, front }: Place, configuration: Configuration): Promise<void> {
    try {
      await front?.started.catch(() => {});
      await front?.reload(frontConfiguration(configuration, index));
    } catch (error) {
      if (index === 0) throw error;
      const { message, cause } = error as Error;
      throw new ViaductError('WORKER', `${message} (in front ${index + 1}; those before it have the new one)`, {
        cause,
      });
    }
  }
}

function describe({ message, cause }: Error): string {
  return typeof cause === 'string' ? `${message}\n${cause.trimEnd()}` : message;
}

function inheritedLost(): ViaductError {
  return new ViaductError(
    'LISTEN',
    'Cannot start new fronts: all have ended, and with them the sockets that were passed',
    {
      advice: 'The service manager has to start Viaduct again (Restart=on-failure).',
    },
  );
}
