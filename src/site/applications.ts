import { ViaductError } from '../errors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { ApplicationServer } from '../workers/application-server.ts';
import type { SupervisorOptions } from '../workers/supervisor-options.ts';
import { MAIN } from './configuration.ts';

/** The options of each application by name. `MAIN` is the application that Viaduct finds without configuration. */
export type ApplicationTable = ReadonlyMap<string, SupervisorOptions>;

/**
 * How many workers an application should have after a change of their number. `unknown`: no Python application has this
 * name. `changing`: a reload or a restart of its workers is running, so their number stays.
 */
export type Scaled = number | 'unknown' | 'changing';

/** The Python applications of a server by name. The applications of a changed configuration start beside the old ones. */
export class Applications {
  readonly #running = new Map<string, ApplicationServer>();
  /** Applications that no route leads to any more. They finish their requests. */
  readonly #leaving = new Set<ApplicationServer>();
  /** Applications with a release that is not committed yet; those that run no other release are in `#new`. Each `prepare` has a map of its own. */
  #prepared = new Map<string, ApplicationServer>();
  readonly #new = new Set<string>();
  /** Whether the prepared releases are tried out: they take requests of clients. */
  #areTried = false;

  /**
   * Returns the function that answers requests with the application of this name: with its prepared release, if that one has a trial, and
   * with the serving one after the trial.
   *
   * @throws ViaductError `USAGE` if the application is not running
   */
  handleOf(name: string): (request: Request) => HandlerResult {
    const application = this.#running.get(name);
    if (application === undefined)
      throw new ViaductError('USAGE', `Cannot serve application "${name}": it is not running`);
    return application.preparedHandle as (request: Request) => HandlerResult;
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /** The applications that serve, by name. */
  serving(): [name: string, application: ApplicationServer][] {
    return [...this.#running].filter(([name]) => !this.#new.has(name));
  }

  /** Changes the number of workers of an application until the next reload. */
  scale(name: string, workers: number): Scaled {
    const application = this.#running.get(name);
    if (application === undefined || this.#new.has(name)) return 'unknown';
    return this.#prepared.has(name) || !application.scale(workers) ? 'changing' : workers;
  }

  /**
   * Starts a release of every application of `table`, beside the running ones, and resolves when all are ready. If one
   * of them fails, all of them end again, and the running ones continue. `commit` or `abandon` must follow.
   *
   * @throws ViaductError of the first application that failed, with its name unless it is the main application
   */
  async prepare(table: ApplicationTable): Promise<void> {
    const prepared = this.#prepared;
    try {
      await Promise.all(
        [...table].map(async ([name, options]) => {
          const running = this.#running.get(name);
          const application = running ?? new ApplicationServer(options);
          if (running === undefined) {
            this.#running.set(name, application);
            this.#new.add(name);
          }
          prepared.set(name, application);
          await application.prepare(options.release).catch((error: unknown) => {
            throw withName(name, error);
          });
        }),
      );
    } catch (error) {
      // After an `abandon`, the releases that are prepared now may be those of the next reload.
      if (this.#prepared === prepared)
        this.abandon(new ViaductError('WORKER', 'Cannot start the application: another application failed'));
      throw error;
    }
  }

  /** Lets the prepared releases take requests of clients. The others stay, until `commit` or `abandon`. */
  tryOut(): void {
    this.#areTried = true;
    for (const application of this.#prepared.values()) application.tryOut();
  }

  /** The applications whose releases are prepared or tried out, by name. */
  get trials(): ReadonlyMap<string, ApplicationServer> {
    return this.#prepared;
  }

  /**
   * Lets the prepared releases of these applications serve: all of them, or none.
   *
   * @throws ViaductError `WORKER` if one was abandoned, or a worker of it has died meanwhile
   */
  commit(names: Iterable<string>): void {
    for (const name of names) {
      if (this.#prepared.get(name)?.isPrepared !== true)
        throw withName(name, new ViaductError('WORKER', 'Cannot start the application: it ended while others started'));
    }
    for (const application of this.#prepared.values()) application.commit();
    this.#forgetPrepared();
  }

  /** Ends the releases that start, are prepared or are tried out. A start that still runs fails with `error`. */
  abandon(error: ViaductError): void {
    for (const [name, application] of this.#prepared) {
      if (!this.#new.has(name)) application.abandon(error);
      else {
        this.#running.delete(name);
        if (this.#areTried) this.#leave(application);
        else {
          application.abandon(error);
          application.destroy();
        }
      }
    }
    this.#forgetPrepared();
  }

  #forgetPrepared(): void {
    this.#prepared = new Map();
    this.#new.clear();
    this.#areTried = false;
  }

  /** Lets the requests of an application finish, to which no new ones come, and ends it. */
  #leave(application: ApplicationServer): void {
    this.#leaving.add(application);
    void application.stop().then(() => this.#leaving.delete(application));
  }

  /**
   * Ends, after the grace period of `graceMs`, the applications that are not among `names`. No new request may reach
   * these any more.
   */
  retire(names: ReadonlySet<string>, graceMs: number): void {
    for (const [name, application] of this.#running) {
      if (names.has(name)) continue;
      this.#running.delete(name);
      this.#leaving.add(application);
      setTimeout(() => void application.stop().then(() => this.#leaving.delete(application)), graceMs).unref();
    }
  }

  /** Waits until running requests have finished, then ends all processes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values(), ...this.#leaving].map((application) => application.stop()));
  }

  /** Ends all processes at once. */
  destroy(): void {
    for (const application of [...this.#running.values(), ...this.#leaving]) application.destroy();
  }
}

function withName(name: string, error: unknown): unknown {
  if (name === MAIN || !(error instanceof ViaductError)) return error;
  return new ViaductError(error.code, `application ${name}: ${error.message}`, {
    advice: error.advice,
    cause: error.cause,
  });
}
