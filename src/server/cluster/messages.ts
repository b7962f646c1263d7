import { type ErrorCode, ViaductError } from '../../errors.ts';
import type { Identity } from '../../os/process-user.ts';
import type { BackendChange, RouteBackends } from '../../proxy/backend-control.ts';
import type { Configuration } from '../../site/configuration.ts';

/** From the primary to a front. */
export type ToFront =
  | { readonly kind: 'start'; readonly start: FrontStart }
  | { readonly kind: 'reload'; readonly configuration: Configuration }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | { readonly kind: 'stop' };

/** What the primary asks a front that serves. */
export type Question =
  | { readonly about: 'backends' }
  | { readonly about: 'backend'; readonly name: string; readonly change: BackendChange };

/** The list of backends, or whether the one that was to be changed is known. */
export type Answer = readonly RouteBackends[] | boolean;

/** Everything a front needs; it reads no settings itself, so that all fronts have the same. */
export interface FrontStart {
  /** With this front's share of workers and limits. */
  readonly configuration: Configuration;
  readonly identity: Identity | null;
  readonly logFormat: 'text' | 'json';
}

/** From a front to the primary. */
export type FromFront =
  /** It listens to messages now. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'ready'; readonly urls: readonly string[] }
  | { readonly kind: 'failed'; readonly error: Failure }
  | { readonly kind: 'reloaded'; readonly error: Failure | null }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  /** Once a second: the event loop turns. */
  | { readonly kind: 'alive'; readonly connections: number };

/** An error as it travels between processes. */
export interface Failure {
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly advice: string;
  /** The traceback, or ''. */
  readonly cause: string;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof ViaductError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { code: null, message, advice: '', cause: '' };
  }
  const { code, message, advice, cause } = error;
  return { code, message, advice, cause: typeof cause === 'string' ? cause : '' };
}

export function errorOf({ code, message, advice, cause }: Failure): Error {
  if (code === null) return new Error(message);
  return new ViaductError(code, message, cause === '' ? { advice } : { advice, cause });
}
