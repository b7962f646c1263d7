import type { Worker as ClusterWorker } from 'node:cluster';
import { getSystemErrorName } from 'node:util';
import { ViaductError } from '../../errors.ts';
import type { Configuration } from '../../site/configuration.ts';
import { LifeWatch, tickMs } from '../../workers/life-watch.ts';
import {
  type About,
  type Answers,
  errorOf,
  type FromServerProcess,
  type Question,
  type ServerProcessStart,
  type ShownAnswer,
  type ShownQuestion,
  type ToServerProcess,
} from './messages.ts';
import { parseMessage } from './parse-message.ts';
import { ReloadCall } from './reload-call.ts';

/** A server process reports once a second. So a shorter silence says nothing about it. */
const SILENCE_MS_MIN = 5000;
/** A question without an answer blocks the caller for no longer than this. */
const ANSWER_MS_MAX = 5000;

/** A question without an answer so far. */
interface Asked {
  readonly about: About;
  readonly finish: (answer: Answers[About] | null) => void;
}

/** One server process as the primary sees it: what it last reported, and how it ended. */
export class ServerProcess {
  readonly bornMs = performance.now();
  readonly pid: number;
  state: 'starting' | 'ready' | 'gone' = 'starting';
  urls: readonly string[] = [];
  connections = 0;
  /** Receives lines of its logs, and the id of those who follow them. */
  onFollowed: (id: number, lines: string) => void = () => {};
  /** Resolves to what its pages of the development show. */
  onShow: (question: ShownQuestion) => Promise<ShownAnswer> = () => Promise.resolve(null);
  /** Why it cannot serve, as it reported. */
  failure: Error | null = null;
  /** When it last reported that its event loop turns. */
  lifeSignMs = performance.now();
  /** Resolves when it serves. Rejects with the reason why it cannot. */
  readonly started: Promise<void>;
  /** Resolves when the process has ended: `of SIGKILL`, `with exit code 1`. */
  readonly exited: Promise<string>;
  readonly #process: ClusterWorker;
  readonly #start: ServerProcessStart;
  readonly #onSilent: () => void;
  readonly #life = new LifeWatch();
  #ticks: NodeJS.Timeout | null = null;
  #greeted = false;
  #how: string | null = null;
  #onStarted: (error: Error | null) => void = () => {};
  #onExited: (how: string) => void = () => {};
  /** The last reload; null without one. */
  #reload: ReloadCall | null = null;
  readonly #asked = new Map<number, Asked>();
  #questions = 0;

  /** `onSilent` is called when its event loop has not turned for `workerTimeoutMs`. */
  constructor(worker: ClusterWorker, start: ServerProcessStart, onSilent: () => void) {
    this.#process = worker;
    this.#start = start;
    this.#onSilent = onSilent;
    this.pid = worker.process.pid ?? 0;
    this.exited = new Promise((resolve) => {
      this.#onExited = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      this.#onStarted = (error) => (error === null ? resolve() : reject(error));
    });
    this.started.catch(() => {});
    worker.on('message', (value: unknown) => {
      const message = parseMessage(value);
      if (message !== null) this.#message(message);
    });
    worker.process.once('close', (code, signal) => {
      this.#how = signal === null ? howOf(code) : `of ${signal}`;
      this.#ended();
    });
    worker.process.once('disconnect', () => this.#ended());
    worker.on('error', (error) => {
      this.#how ??= `before it started: ${error.message}`;
      this.#ended();
    });
    const { startTimeoutMs } = start.configuration.settings;
    this.#watch(start.configuration, startTimeoutMs); // until then it loads its program
  }

  send(message: ToServerProcess): void {
    if (this.#process.isConnected()) this.#process.send(message, () => {});
  }

  /**
   * Prepares a new release of `configuration`. `proceed` must follow twice: then the release proves itself, and then it serves.
   * `cancel-reload` goes back.
   *
   * @throws ViaductError `WORKER` when the process ends meanwhile, or the reason why it keeps the old one
   */
  async reload(configuration: Configuration, seed: number): Promise<void> {
    const id = (this.#reload?.id ?? 0) + 1;
    this.#reload = new ReloadCall(id);
    if (this.state !== 'ready')
      this.#reload.ended(null); // it starts later, or never
    else {
      this.#watch(configuration);
      this.send({ kind: 'reload', id, configuration, seed });
    }
    await this.#reload.next();
  }

  /**
   * Lets the new release go a step further.
   *
   * @throws as `reload` does
   */
  async proceed(): Promise<void> {
    const next = this.#reload?.next();
    this.send({ kind: 'proceed' });
    await next;
  }

  /** Lets a reload that is not over go back. Resolves when it is over. */
  async abandonReload(): Promise<void> {
    this.send({ kind: 'cancel-reload' });
    await this.#reload?.over;
  }

  /** Resolves to the answer, or to null if the process does not serve, dies meanwhile or does not answer in time. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['about']] | null> {
    if (this.state !== 'ready') return Promise.resolve(null);
    this.#questions += 1;
    const id = this.#questions;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#finishQuestion(id, null), ANSWER_MS_MAX);
      const finish = (answer: Answers[About] | null): void => {
        clearTimeout(timer);
        resolve(answer as Answers[Q['about']] | null);
      };
      this.#asked.set(id, { about: question.about, finish });
      this.send({ kind: 'ask', id, question });
    });
  }

  kill(): void {
    this.#process.process.kill('SIGKILL');
  }

  #message(message: FromServerProcess): void {
    if (message.kind === 'hello' && !this.#greeted) {
      this.#greeted = true;
      this.#watch(this.#start.configuration);
      this.send({ kind: 'start', start: this.#start });
    } else if (message.kind === 'ready' && this.state === 'starting') {
      this.state = 'ready';
      this.urls = message.urls;
      this.#onStarted(null);
    } else if (message.kind === 'failed' && this.state === 'starting') {
      this.failure = errorOf(message.error);
      this.#onStarted(this.failure);
    } else if (message.kind === 'reached') {
      if (message.id === this.#reload?.id) this.#reload.reached();
    } else if (message.kind === 'reloaded') {
      if (message.id === this.#reload?.id) this.#reload.ended(message.error === null ? null : errorOf(message.error));
    } else if (message.kind === 'answer') {
      if (this.#asked.get(message.id)?.about === message.about) this.#finishQuestion(message.id, message.answer);
    } else if (message.kind === 'followed') {
      this.onFollowed(message.id, message.lines);
    } else if (message.kind === 'show') {
      const { id } = message;
      this.onShow(message.question).then(
        (answer) => this.send({ kind: 'shown', id, answer }),
        () => {}, // without an answer, the page says so
      );
    } else if (message.kind === 'alive') {
      this.connections = message.connections;
      this.lifeSignMs = performance.now();
      this.#life.answered();
    }
  }

  /** Watches for the reports of the process: their absence for `workerTimeoutMs`, or for `ms` if that is longer. */
  #watch({ settings: { workerTimeoutMs } }: Configuration, ms = SILENCE_MS_MIN): void {
    if (this.#ticks !== null) clearInterval(this.#ticks);
    this.#life.answered();
    if (workerTimeoutMs === 0) return;
    this.#ticks = setInterval(
      () => {
        if (!this.#life.tick()) return;
        if (this.#ticks !== null) clearInterval(this.#ticks);
        this.#onSilent();
      },
      tickMs(Math.max(workerTimeoutMs, ms)),
    ).unref();
  }

  /** Its last messages are read before the channel closes, which may be after the exit. */
  #ended(): void {
    const how = this.#how;
    if (how === null || this.#process.isConnected()) return;
    this.state = 'gone';
    if (this.#ticks !== null) clearInterval(this.#ticks);
    this.#onStarted(new ViaductError('WORKER', `Cannot start a server process: it ended ${how}`));
    this.#reload?.ended(new ViaductError('WORKER', `Cannot start a release: the server process ended ${how}`));
    for (const id of this.#asked.keys()) this.#finishQuestion(id, null);
    this.#onExited(how);
  }

  #finishQuestion(id: number, answer: Answers[About] | null): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.finish(answer);
  }
}

/** Node reports as a negative code that the system could not start a process. */
function howOf(code: number | null): string {
  if (code === null || code >= 0) return `with exit code ${code}`;
  return `before it started: spawn ${process.execPath} ${getSystemErrorName(code)}`;
}
