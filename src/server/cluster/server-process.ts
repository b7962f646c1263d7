import type { Worker as ClusterWorker } from 'node:cluster';
import { ViaductError } from '../../errors.ts';
import type { Configuration } from '../../site/configuration.ts';
import {
  type Answer,
  errorOf,
  type FromServerProcess,
  type Question,
  type ServerProcessStart,
  type ToServerProcess,
} from './messages.ts';

/** One server process as the primary sees it: what it last reported, and how it ended. */
export class ServerProcess {
  readonly bornMs = performance.now();
  readonly pid: number;
  state: 'starting' | 'ready' | 'gone' = 'starting';
  urls: readonly string[] = [];
  connections = 0;
  /** Why it cannot serve, as it reported. */
  failure: Error | null = null;
  /** When it last reported that its event loop turns. */
  lifeSignMs = performance.now();
  /** Resolves when it serves. Rejects with the reason why it cannot. */
  readonly started: Promise<void>;
  /** Resolves when the process has ended: `of SIGKILL`, `with exit code 1`. */
  readonly exited: Promise<string>;
  readonly #process: ClusterWorker;
  #reloaded: ((error: Error | null) => void) | null = null;
  readonly #asked = new Map<number, (answer: Answer | null) => void>();
  #questions = 0;

  constructor(worker: ClusterWorker, start: ServerProcessStart) {
    this.#process = worker;
    this.pid = worker.process.pid ?? 0;
    let death: (how: string) => void = () => {};
    this.exited = new Promise((resolve) => {
      death = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      worker.on('message', (message: FromServerProcess) => {
        if (message.kind === 'hello') this.send({ kind: 'start', start });
        else if (message.kind === 'ready') {
          this.state = 'ready';
          this.urls = message.urls;
          resolve();
        } else if (message.kind === 'failed') {
          this.failure = errorOf(message.error);
          reject(this.failure);
        } else if (message.kind === 'reloaded')
          this.#finishReload(message.error === null ? null : errorOf(message.error));
        else if (message.kind === 'answer') this.#finishQuestion(message.id, message.answer);
        else {
          this.connections = message.connections;
          this.lifeSignMs = performance.now();
        }
      });
      let how: string | null = null;
      // Its last messages are read before the channel closes, which may be after the exit.
      const ended = (): void => {
        if (how === null || worker.isConnected()) return;
        this.state = 'gone';
        reject(new ViaductError('WORKER', `Cannot start a server process: it ended ${how}`));
        this.#finishReload(null);
        for (const id of this.#asked.keys()) this.#finishQuestion(id, null);
        death(how);
      };
      worker.process.once('close', (code, signal) => {
        how = signal === null ? `with exit code ${code}` : `of ${signal}`;
        ended();
      });
      worker.process.once('disconnect', ended);
      worker.on('error', (error) => {
        how ??= `before it started: ${error.message}`;
        ended();
      });
    });
    this.started.catch(() => {});
  }

  send(message: ToServerProcess): void {
    if (this.#process.isConnected()) this.#process.send(message, () => {});
  }

  /** Applies `configuration` with a new release. If the process dies meanwhile, the next one imports the new release anyway. */
  reload(configuration: Configuration): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.state !== 'ready') {
        resolve();
        return;
      }
      this.#reloaded = (error) => (error === null ? resolve() : reject(error));
      this.send({ kind: 'reload', configuration });
    });
  }

  /** Resolves to the answer, or to null if the process does not serve or dies meanwhile. */
  ask(question: Question): Promise<Answer | null> {
    if (this.state !== 'ready') return Promise.resolve(null);
    this.#questions += 1;
    const id = this.#questions;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.send({ kind: 'ask', id, question });
    });
  }

  kill(): void {
    this.#process.process.kill('SIGKILL');
  }

  #finishQuestion(id: number, answer: Answer | null): void {
    const finish = this.#asked.get(id);
    this.#asked.delete(id);
    finish?.(answer);
  }

  #finishReload(error: Error | null): void {
    const finish = this.#reloaded;
    this.#reloaded = null;
    finish?.(error);
  }
}
