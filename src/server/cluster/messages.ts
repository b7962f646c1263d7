import { describeThrown, type ErrorCode, systemErrorOf, ViaductError } from '../../errors.ts';
import type { LogFilter } from '../../log/log-tap.ts';
import type { Family } from '../../metrics/family.ts';
import type { Identity } from '../../os/process-user.ts';
import type { BackendChange, RouteBackends } from '../../proxy/backend-control.ts';
import type { Scaled } from '../../site/applications.ts';
import type { Configuration } from '../../site/configuration.ts';
import type { ReloadStep } from '../agreement.ts';
import type { LiveRequest } from '../live-requests.ts';
import type { ProcessReport, ServerStatus, WorkerStacks } from '../status.ts';
import type { TraceQuestion } from '../trace/trace-questions.ts';

/** From the primary to a server process. */
export type ToServerProcess =
  | { readonly kind: 'start'; readonly start: ServerProcessStart }
  | { readonly kind: 'reload'; readonly id: number; readonly configuration: Configuration; readonly seed: number }
  /** All processes have reached the step of the reload that this one has reached. */
  | { readonly kind: 'proceed' }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  /** The process must send the lines of the logs that `filter` wants, from now on until `unfollow`. */
  | { readonly kind: 'follow'; readonly id: number; readonly filter: LogFilter }
  | { readonly kind: 'unfollow'; readonly id: number }
  /** The answer to `show`. */
  | { readonly kind: 'shown'; readonly id: number; readonly answer: ShownAnswer }
  | { readonly kind: 'cancel-reload' | 'stop' };

/** What the primary asks a server process that serves. */
export type Question =
  | { readonly about: 'backends' }
  | { readonly about: 'backend'; readonly name: string; readonly change: BackendChange }
  | { readonly about: 'drain'; readonly draining: boolean }
  | { readonly about: 'scale'; readonly application: string; readonly workers: number }
  | { readonly about: 'status' | 'requests' | 'metrics' }
  | { readonly about: 'stacks'; readonly worker: number | null }
  | { readonly about: 'traces'; readonly question: TraceQuestion }
  | { readonly about: 'log'; readonly filter: LogFilter; readonly count: number };

/** What the answer to a question is. */
export interface Answers {
  readonly backends: readonly RouteBackends[];
  /** Whether the backend to change is known. */
  readonly backend: boolean;
  readonly drain: true;
  readonly scale: Scaled;
  readonly status: ProcessReport;
  readonly requests: readonly LiveRequest[];
  /** Null if they are not counted. */
  readonly metrics: readonly Family[] | null;
  readonly stacks: readonly WorkerStacks[];
  /** JSON: see `TraceAnswer`. */
  readonly traces: string;
  /** The last entries of its log, each a line of JSON. */
  readonly log: readonly string[];
}

export type About = keyof Answers;

/** What the pages of the development ask about all server processes. */
export type ShownQuestion = Extract<Question, { readonly about: 'status' | 'requests' | 'metrics' | 'traces' }>;

export type ShownAnswer = ServerStatus | readonly LiveRequest[] | readonly Family[] | string | null;

/** Everything a server process needs. It reads no settings itself, so that all processes have the same ones. */
export interface ServerProcessStart {
  /** Whether it takes the place of a process that has ended, so that its application has proved itself already. */
  readonly isReplacement: boolean;
  /** With this process's share of workers and limits. */
  readonly configuration: Configuration;
  readonly identity: Identity | null;
  readonly logFormat: 'text' | 'json';
  /** Whether standard error of the primary leads to systemd's journal. */
  readonly isJournal: boolean;
}

/** From a server process to the primary. */
export type FromServerProcess =
  /** It accepts messages from now on. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready'; readonly urls: readonly string[] }
  | { readonly kind: 'failed'; readonly error: Failure }
  /** It waits for the other processes, and then for `proceed`. */
  | { readonly kind: 'reached'; readonly id: number; readonly step: ReloadStep }
  | { readonly kind: 'reloaded'; readonly id: number; readonly error: Failure | null }
  | { readonly kind: 'answer'; readonly id: number; readonly about: About; readonly answer: Answers[About] }
  /** Lines of the logs, for those who follow them by this id. */
  | { readonly kind: 'followed'; readonly id: number; readonly lines: string }
  /** In development: a page about requests asks what all processes know. */
  | { readonly kind: 'show'; readonly id: number; readonly question: ShownQuestion }
  /** Sent once a second, while the event loop turns. */
  | { readonly kind: 'alive'; readonly connections: number };

/** An error in the form in which processes send it. */
export interface Failure {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly advice: string;
  /** The traceback, or ''. */
  readonly cause: string;
}

export function failureOf(error: unknown): Failure {
  const refused = systemErrorOf(error);
  if (refused !== null) return failureOf(refused);
  if (!(error instanceof ViaductError)) return { code: null, message: describeThrown(error), advice: '', cause: '' };
  const { code, message, advice, cause } = error;
  return { code, message, advice, cause: typeof cause === 'string' ? cause : '' };
}

export function errorOf({ code, message, advice, cause }: Failure): Error {
  if (code === null) return new Error(message);
  return new ViaductError(code, message, cause === '' ? { advice } : { advice, cause });
}
