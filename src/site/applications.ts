import { ViaductError } from '../errors.ts';
import type { HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { ApplicationServer, type ApplicationServerOptions } from '../workers/application-server.ts';
import { MAIN } from './configuration.ts';

/** What to run under which name. `MAIN` is the application that is found without configuration. */
export type ApplicationTable = ReadonlyMap<string, ApplicationServerOptions>;

/** The applications of a server by name. Those of a changed configuration start beside the old ones. */
export class Applications {
  readonly #running = new Map<string, ApplicationServer>();
  /** No route leads to them any more; they finish what they have. */
  readonly #leaving = new Set<ApplicationServer>();
  readonly #graceMs: number;

  /** `graceMs` is how long one that is no longer in the configuration may go on with what it has. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Answers a request with the application of this name, which runs. */
  handleOf(name: string): (request: Request) => HandlerResult {
    const application = this.#running.get(name);
    if (application === undefined)
      throw new ViaductError('USAGE', `Cannot serve application "${name}": it does not run`);
    return application.handle as (request: Request) => HandlerResult;
  }

  has(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * Brings every application of `table` up: one that runs under its name gets a new release, the others start. When one of them fails, those
   * that had not run before end again, and the others keep the release that came up.
   *
   * @throws ViaductError of the first that failed, with its name when there are several.
   */
  async begin(table: ApplicationTable): Promise<void> {
    const started = new Map<string, ApplicationServer>();
    const outcomes = await Promise.allSettled(
      [...table].map(([name, options]) => {
        const running = this.#running.get(name);
        if (running !== undefined) return running.reload(options.release);
        const application = new ApplicationServer(options);
        started.set(name, application);
        this.#running.set(name, application);
        return application.start();
      }),
    );
    const failed = outcomes.findIndex(({ status }) => status === 'rejected');
    if (failed < 0) return;
    for (const [name, application] of started) {
      this.#running.delete(name);
      application.destroy();
    }
    throw named([...table.keys()][failed] as string, (outcomes[failed] as PromiseRejectedResult).reason);
  }

  /** Ends, after the grace, those that are not among `names`. No new request may reach them any more. */
  retire(names: ReadonlySet<string>): void {
    for (const [name, application] of this.#running) {
      if (names.has(name)) continue;
      this.#running.delete(name);
      this.#leaving.add(application);
      setTimeout(() => void application.stop().then(() => this.#leaving.delete(application)), this.#graceMs).unref();
    }
  }

  /** Lets running requests finish, then ends all processes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values(), ...this.#leaving].map((application) => application.stop()));
  }

  /** Ends all processes at once. */
  destroy(): void {
    for (const application of [...this.#running.values(), ...this.#leaving]) application.destroy();
  }
}

function named(name: string, error: unknown): unknown {
  if (name === MAIN || !(error instanceof ViaductError)) return error;
  return new ViaductError(error.code, `application ${name}: ${error.message}`, {
    advice: error.advice,
    cause: error.cause,
  });
}
