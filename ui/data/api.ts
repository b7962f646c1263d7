import type { TraceDocument } from '../../src/trace/document.ts';
import type { Overview } from '../../src/trace/overview.ts';
import type { ErrorGroup, TraceSummary, TraceUsage } from '../../src/trace/store.ts';
import type { RequestQuery } from '../model/request-filter.ts';
import { PREFIX } from './context.ts';

export interface RequestList {
  readonly requests: readonly TraceSummary[];
  readonly usage: TraceUsage;
}

/** A request that is not answered completely, as `viaduct status` shows it. */
export interface LiveRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly client: string;
  readonly age_ms: number | null;
  readonly where: string;
  readonly worker: number | null;
  readonly backend: string | null;
}

/** What the server said instead of an answer, in words for people. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const getTrace = (id: string): Promise<TraceDocument> => ask(`requests/${encodeURIComponent(id)}`);
export const getLastGood = (id: string): Promise<TraceDocument> => ask(`requests/${encodeURIComponent(id)}/last-good`);
export const getErrors = (): Promise<readonly ErrorGroup[]> => ask('errors');
export const getLive = (): Promise<readonly LiveRequest[]> => ask('live');
export const getOverview = (): Promise<Overview> => ask('overview');

/** `after`: only those with a greater number. */
export function getRequests(query: Partial<RequestQuery>, limit: number, after = 0): Promise<RequestList> {
  const set = Object.entries(query).filter(([, value]) => value !== '');
  const parameters = new URLSearchParams([...set, ['limit', String(limit)]]);
  if (after > 0) parameters.set('after', String(after));
  return ask(`requests?${parameters}`);
}

/** Sends the recorded request again. `confirmed`: a person agreed to repeat a method that is not safe. */
export function replay(id: string, confirmed: boolean): Promise<{ readonly id: string; readonly status: number }> {
  return ask(`requests/${encodeURIComponent(id)}/replay`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(confirmed ? { confirm: true } : {}),
  });
}

/** The address of a file to download. */
export function downloadUrl(id: string, form: 'har' | 'export'): string {
  return `${PREFIX}/api/requests/${encodeURIComponent(id)}/${form}`;
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(`${PREFIX}/api/${path}`, init).catch(() => {
    throw new ApiError(0, 'The server does not answer. It may have been stopped: start it, then reload this page.');
  });
  if (!response.ok) throw new ApiError(response.status, await reasonOf(response));
  return (await response.json()) as T;
}

async function reasonOf(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  try {
    const { error } = JSON.parse(text) as { error?: string };
    if (typeof error === 'string') return error;
  } catch {
    // It is not JSON: the text is what there is.
  }
  return text === '' || text.length > 500 ? `The server answered ${response.status}.` : text;
}
