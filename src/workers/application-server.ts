import type { Handler } from '../http/handler.ts';
import { Runtime } from './runtime.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

export interface ApplicationServerOptions extends Omit<SupervisorOptions, 'release'> {
  readonly release: Omit<SupervisorOptions['release'], 'socketPath' | 'runtimeDirectory'>;
}

/** The application server: one Python application behind one pool. The constructor starts nothing. */
export class ApplicationServer {
  readonly #runtime: Runtime;
  readonly #supervisor: Supervisor;

  constructor(options: ApplicationServerOptions) {
    this.#runtime = new Runtime((hello, socket) => this.#supervisor.attach(hello, socket));
    this.#supervisor = new Supervisor({ ...options, release: this.#placed(options.release) });
  }

  /** The end of a handler chain. */
  get handle(): Handler {
    return this.#supervisor.pool.handle;
  }

  /**
   * Starts the zygote and the workers; resolves when all are ready.
   *
   * @throws ViaductError `APPLICATION_BROKEN` with the traceback as `cause`, `WORKER` when Python does not come up.
   */
  async start(): Promise<void> {
    await this.#runtime.listen();
    await this.#supervisor.begin();
  }

  /**
   * Starts a new release beside the old one, which serves until the new one is ready, and goes on when that fails. `release` is what it is
   * made of, when that is not the same as before.
   */
  reload(release?: ApplicationServerOptions['release']): Promise<void> {
    return this.#supervisor.begin(release === undefined ? null : this.#placed(release));
  }

  /** Lets running requests finish, then ends all processes. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
    this.#runtime.close();
  }

  #placed(release: ApplicationServerOptions['release']): SupervisorOptions['release'] {
    const { directory: runtimeDirectory, socketPath } = this.#runtime;
    return { ...release, socketPath, runtimeDirectory };
  }

  /** Ends all processes at once. */
  destroy(): void {
    this.#supervisor.destroy();
    this.#runtime.close();
  }
}
