import cluster, { type Worker } from 'node:cluster';
import { PRIMARY_UMASK } from '../../listen/unix-socket.ts';
import type { Log } from '../../log/log.ts';
import type { Identity } from '../../os/process-user.ts';
import { programFile } from '../../program-files.ts';
import type { Configuration } from '../../site/configuration.ts';
import { outputFor } from '../../workers/output.ts';
import { forwardOutput } from './forward-output.ts';
import { processConfiguration } from './process-configuration.ts';
import { ServerProcess } from './server-process.ts';

export interface LauncherOptions {
  readonly identity: Identity | null;
  readonly log: Log;
  readonly logFormat: 'text' | 'json';
  /** Whether standard error leads to systemd's journal. */
  readonly isJournal: boolean;
}

const PROCESS_PROGRAM = programFile('server/cluster/process-main.js');

/** Starts server processes. They inherit the umask that the primary was started with; the primary has its own. */
export class ProcessLauncher {
  readonly #options: LauncherOptions;
  /** As the primary was started. */
  #umask = 0;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Prepares this process for `launch`: it becomes a primary of Node's cluster. */
  prepare(): void {
    this.#umask = process.umask(PRIMARY_UMASK);
    // The kernel distributes connections. So no process waits for the primary, and no connection waits for a process that is gone.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    const stdio = ['ignore', outputFor(1), outputFor(2), 'ipc'] as const;
    cluster.setupPrimary({ exec: PROCESS_PROGRAM, args: [], stdio: [...stdio], serialization: 'advanced' });
  }

  /** Starts the server process `index` (from 0) of `configuration`. One that does not respond is killed. */
  launch(configuration: Configuration, index: number, isReplacement: boolean): ServerProcess {
    const { identity, logFormat, isJournal, log } = this.#options;
    const worker = this.#fork();
    forwardOutput(worker.process.stdout, process.stdout);
    forwardOutput(worker.process.stderr, process.stderr);
    const start = {
      configuration: processConfiguration(configuration, index),
      identity,
      logFormat,
      isJournal,
      isReplacement,
    };
    const serverProcess = new ServerProcess(worker, start, () => {
      log.error(`server process ${index + 1} (pid ${serverProcess.pid}) is killed: it does not respond`);
      serverProcess.kill();
    });
    return serverProcess;
  }

  /** The application inherits the umask. */
  #fork(): Worker {
    process.umask(this.#umask);
    try {
      return cluster.fork();
    } finally {
      process.umask(PRIMARY_UMASK);
    }
  }
}
