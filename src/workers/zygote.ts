import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { isPassing, RETRIES_MAX } from '../project/passing-signals.ts';
import { readMessages, sendMessage } from './channel.ts';
import type { EarlyErrors } from './early-errors.ts';
import { LifeWatch } from './life-watch.ts';
import type { FromPython, ToPython } from './messages.ts';
import { isInit, killProcess } from './os-process.ts';
import type { ReleaseOptions } from './release-options.ts';
import { spawnZygote } from './zygote-program.ts';

export interface ZygoteEvents {
  /** It has imported the application and can fork. Called once. */
  readonly onLoaded: () => void;
  /** Forks would share what the import has opened. Called before `onLoaded`, if at all. */
  readonly onUnsafe: (findings: readonly string[]) => void;
  /** Any other message, which may come at a wrong time. */
  readonly onMessage: (message: FromPython) => void;
  /** It violated the protocol or is silent, and is killed. */
  readonly onBroken: (reason: string) => void;
  /** Its process has ended, so that nothing reaps what it forked. Called once, after its last message. */
  readonly onGone: (status: string) => void;
}

/** After a process has ended without a connection, its message may still arrive for this long. */
const LATE_MESSAGE_MS = 100;
/** After a process has closed its connection, its end may be reported this much later. */
const LATE_EXIT_MS = 1000;
/** The last real-time signal asks a reaper to kill its zygote; see reaper.py. */
const END_ZYGOTE = 64;

/**
 * The server's side of the process that imports the application and forks workers: the process and its control
 * connection. They come and go in any order; `onGone` is called when neither can bring anything more.
 */
export class Zygote {
  readonly #options: Pick<ReleaseOptions, 'project' | 'wrap' | 'waiting'>;
  readonly #events: ZygoteEvents;
  readonly #life = new LifeWatch();
  #state: 'starting' | 'loaded' | 'gone' = 'starting';
  #process: ChildProcess | null = null;
  #control: Socket | null = null;
  /** What its interpreter has written so far, until it connects. */
  #early: EarlyErrors | null = null;
  #exitStatus: string | null = null;
  /** Whether it was asked to end at once. */
  #isEnding = false;

  constructor(options: Pick<ReleaseOptions, 'project' | 'wrap' | 'waiting'>, events: ZygoteEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** 0 before the start. */
  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /**
   * Starts the process, or lets an interpreter that waits become it. `command` and `options` are those of `zygoteCommand`
   * and `zygoteOptions`. The events report the result.
   */
  start(command: readonly string[], options: object): void {
    this.#launch(command, options, 0);
  }

  /** Starts it again if a signal for the whole server ends it before the interpreter can take signals. */
  #launch(command: readonly string[], options: object, retries: number): void {
    const { project, wrap = null, waiting: interpreter } = this.#options;
    const waiting = interpreter?.become(project, options) ?? null;
    const { child, early } =
      waiting === null ? spawnZygote(project, command, options, wrap) : { child: waiting, early: null };
    this.#process = child;
    this.#early = early;
    child.once('error', (error) => this.#exited(error.message));
    child.once('exit', (code, signal) => {
      const isTooEarly = this.#control === null && !this.#isEnding && isPassing(signal);
      if (!isTooEarly || retries === RETRIES_MAX) {
        this.#exited(signal ?? `exit code ${code}`);
        return;
      }
      try {
        this.#launch(command, options, retries + 1);
      } catch (error) {
        this.#exited((error as Error).message);
      }
    });
  }

  /** Attaches its control connection. A second one is closed. */
  attach(socket: Socket): void {
    if (this.#control !== null) {
      socket.destroy();
      return;
    }
    this.#control = socket;
    this.#early?.show();
    socket.once('close', () => {
      if (this.#control !== socket) return;
      if (this.#exitStatus !== null) this.#gone(this.#exitStatus);
      else setTimeout(() => this.#lost(), LATE_EXIT_MS).unref();
    });
    readMessages(
      socket,
      (message) => this.#message(message),
      (reason) => this.break(reason),
    );
    socket.resume();
  }

  /** Lets go of its connection: without the import it starts again, as a new program that connects by itself. */
  detach(): void {
    const old = this.#control;
    this.#control = null;
    old?.destroy();
  }

  /** Returns false when nothing can be sent, because there is no connection. */
  send(message: ToPython): boolean {
    if (!this.#control?.writable) return false;
    sendMessage(this.#control, message);
    return true;
  }

  /** Asks for a sign of life. Must be called at each tick (`tickMs`). One that is silent for too many ticks is broken. */
  checkLife(): void {
    if (this.#state !== 'loaded' || this.#control === null) return;
    if (!this.#life.isWaiting) this.send({ kind: 'ping' });
    if (this.#life.tick()) this.break('it does not respond');
  }

  /** Kills it, unless it is dead. `reason` is for the log. */
  break(reason: string): void {
    if (this.#exitStatus !== null || this.#state === 'gone') return;
    this.#events.onBroken(reason);
    this.end();
  }

  /** Asks it to end, which it does in order if it is connected. */
  quit(): void {
    if (this.#control === null) this.end();
    else this.send({ kind: 'quit' });
  }

  /** Ends it now. A reaper stays alive until it has collected everything below it: what outlives it would become a zombie for ever. */
  end(): void {
    this.#isEnding = true;
    const child = this.#process;
    if (child?.pid === undefined || this.#exitStatus !== null) return;
    if (!isInit()) child.kill('SIGKILL');
    else for (const signal of [END_ZYGOTE, 'SIGCONT'] as const) killProcess(child.pid, signal);
  }

  #message(message: FromPython): void {
    if (message.kind === 'alive') this.#life.answered();
    else if (message.kind === 'loaded' && this.#state === 'starting') {
      this.#state = 'loaded';
      this.#events.onLoaded();
    } else if (message.kind === 'unsafe' && this.#state === 'starting') this.#events.onUnsafe(message.findings);
    else this.#events.onMessage(message);
  }

  /** It closed its connection. A process that adopts orphans may still wait for some of them. */
  #lost(): void {
    if (this.#exitStatus !== null) return;
    if (isInit()) this.#gone('its process ended');
    else this.break('it closed its connection');
  }

  /** Handles the end of its process. Messages that it sent before may still arrive. */
  #exited(status: string): void {
    this.#exitStatus = status;
    if (this.#control === null) setTimeout(() => this.#control === null && this.#gone(status), LATE_MESSAGE_MS);
    else if (this.#control.destroyed) this.#gone(status);
    else setTimeout(() => this.#gone(status), LATE_EXIT_MS).unref(); // a process that it forked holds the connection
  }

  #gone(status: string): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.detach();
    this.end();
    this.#events.onGone(status);
  }
}
