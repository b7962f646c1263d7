import type { ChildProcess } from 'node:child_process';
import type { TestContext } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { Response } from '../../src/http/response.ts';
import type { Project } from '../../src/project/project.ts';
import type { WaitingInterpreter } from '../../src/project/waiting-interpreter.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';
import type { Pool } from '../../src/workers/pool.ts';
import type { Release } from '../../src/workers/release.ts';
import { ReleaseFactory } from '../../src/workers/release-factory.ts';
import type { ReleaseOptions } from '../../src/workers/release-options.ts';
import type { Runtime } from '../../src/workers/runtime.ts';
import { Succession } from '../../src/workers/succession.ts';
import type { SupervisorEvent } from '../../src/workers/supervisor-event.ts';
import type { SupervisorOptions } from '../../src/workers/supervisor-options.ts';
import { requestOf } from './handler.ts';
import { PaperProcess, PaperRelease } from './paper-python.ts';
import { poolOptions } from './pool.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const START_TIMEOUT_MS = 60_000;

const PROJECT = {
  directory: '/srv/shop',
  application: { module: 'shop', callable: 'app', name: '' },
  environment: {},
  python: { path: '/usr/bin/python3' },
} as unknown as Project;

/** How the start of a release ended; null while it has not. */
export interface Started {
  ended: 'ready' | ViaductError | null;
  readonly paper: PaperRelease;
}

/**
 * A succession of releases whose processes exist only on paper, and whose time is mocked. Its parts, down to the sockets of
 * workers, are the real ones.
 */
export function openSuccession(t: TestContext, changes: Partial<ReleaseOptions> = {}) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const directory = temporaryDirectory(t);
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const files = { areGone: false };
  const ensured = (): string => {
    if (files.areGone) throw new ViaductError('USAGE', 'Cannot make a private directory: it is gone');
    return directory;
  };
  let last: PaperProcess | null = null;
  const become = (): ChildProcess => {
    last = new PaperProcess();
    return last as unknown as ChildProcess;
  };
  const release: ReleaseOptions = {
    ...{
      project: PROJECT,
      workers: 2,
      threads: 1,
      preload: 'always',
      software: '',
      listeners: [],
      environVariables: [],
    },
    ...{ startTimeoutMs: START_TIMEOUT_MS, workerTimeoutMs: 0, gracefulTimeoutMs: 5000 },
    waiting: { become } as unknown as WaitingInterpreter,
    ...changes,
  };
  const options: SupervisorOptions = {
    release,
    pool: poolOptions(),
    responseBufferBytesMax: 1000,
    errorResponse: (traceback) => Response.text(500, traceback),
    log: { info: add, warn: add, error: add },
  };
  const events: SupervisorEvent[] = [];
  let isStepping = false;
  const post = (event: SupervisorEvent): void => {
    events.push(event);
    if (isStepping) return;
    isStepping = true;
    for (let next = events.shift(); next !== undefined; next = events.shift()) succession.handle(next);
    isStepping = false;
  };
  const runtime = { directory: ensured, spoolDirectory: ensured } as unknown as Runtime;
  const factory = new ReleaseFactory(options, runtime, post);
  const succession: Succession = new Succession(options, factory, post);
  t.after(() => succession.destroy());
  const newest = (): PaperRelease => {
    const found = succession.releases.find(({ state }) => state === 'starting');
    if (found === undefined || last === null) throw new Error('no release is starting');
    return new PaperRelease(found, last as unknown as ChildProcess, directory);
  };
  return {
    succession,
    factory,
    pool: factory.pool,
    options,
    lines,
    directory,
    files,
    post,
    /** The release that has just been started. */
    newest,
    /** Starts a release. `paper` is that one, if it could be started. */
    start(options: ReleaseOptions | null = null, commits = false): Started {
      const started: { ended: Started['ended']; paper: PaperRelease } = { ended: null, paper: null as never };
      const resolve = (): void => {
        started.ended = 'ready';
      };
      const reject = (error: Error): void => {
        started.ended ??= error as ViaductError;
      };
      post({ kind: 'start', options, commits, outcome: { resolve, reject } });
      if (started.ended === null) started.paper = newest();
      return started;
    },
    /** Starts a release until it is prepared. */
    prepare(options: ReleaseOptions | null = null): PaperRelease {
      const { paper } = this.start(options);
      paper.loads();
      paper.getsReady();
      return paper;
    },
    /** Starts a release that serves. */
    serve(options: ReleaseOptions | null = null): PaperRelease {
      const paper = this.prepare(options);
      post({ kind: 'commit' });
      return paper;
    },
    /** Starts a release that is tried out. */
    tryOut(): PaperRelease {
      const paper = this.prepare({ ...release, hasTrial: true });
      post({ kind: 'try-out' });
      return paper;
    },
    /** The numbers of the releases, without those that have ended. */
    numbers: (): number[] => succession.releases.map(({ number }: Release) => number),
    ask,
    /** Sends requests to `pool` until one waits. Returns this one. */
    overload(pool: Pool): { status: number } {
      for (let i = 0; i < 100; i += 1) {
        const answer = ask(pool);
        if (pool.waiting > 0) return answer;
      }
      throw new Error('no request waits');
    },
    tick: (ms: number): void => t.mock.timers.tick(ms),
  };
}

/** Sends a request to `pool`. Its status is 0 while it has none. */
function ask(pool: Pool): { status: number } {
  const answer = { status: 0 };
  (pool.handle(requestOf()) as PendingRequest).then(
    ({ status }) => {
      answer.status = status;
    },
    () => {},
  );
  return answer;
}
