import type { Overview } from '../../src/trace/overview.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { PREFIX } from './context.ts';

export type StreamState = 'connecting' | 'live' | 'lost' | 'refused';

/** A browser gives up a stream that the server refuses. This is how soon the page tries again. */
const RETRY_MS = 10_000;

interface Listener {
  readonly onOverview?: (overview: Overview) => void;
  readonly onRequests?: (summaries: readonly TraceSummary[]) => void;
  readonly onState?: (state: StreamState) => void;
}

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let state: StreamState = 'connecting';
let last: Overview | null = null;

/** Joins the one stream of events that all parts of the page share. Returns a function that leaves it; the last one out closes it. */
export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  if (source === null) open();
  listener.onState?.(state);
  if (last !== null) listener.onOverview?.(last);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearTimeout(retry);
    source?.close();
    source = null;
    state = 'connecting';
  };
}

function open(): void {
  source = new EventSource(`${PREFIX}/api/events`);
  source.onopen = () => changeState('live');
  source.onerror = () => {
    const isRefused = source?.readyState === EventSource.CLOSED;
    changeState(isRefused ? 'refused' : 'lost');
    if (isRefused) retry = setTimeout(open, RETRY_MS);
  };
  source.addEventListener('overview', ({ data }) => {
    last = JSON.parse(data) as Overview;
    for (const each of listeners) each.onOverview?.(last);
  });
  source.addEventListener('requests', ({ data }) => {
    const summaries = JSON.parse(data) as readonly TraceSummary[];
    for (const each of listeners) each.onRequests?.(summaries);
  });
}

function changeState(to: StreamState): void {
  state = to;
  for (const each of listeners) each.onState?.(to);
}
