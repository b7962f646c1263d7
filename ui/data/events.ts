import type { Overview } from '../../src/trace/overview.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { PREFIX } from './context.ts';

export type StreamState = 'connecting' | 'live' | 'lost';

interface Listener {
  readonly onOverview?: (overview: Overview) => void;
  readonly onRequests?: (summaries: readonly TraceSummary[]) => void;
  readonly onState?: (state: StreamState) => void;
}

const listeners = new Set<Listener>();
let source: EventSource | null = null;
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
    source?.close();
    source = null;
    state = 'connecting';
  };
}

function open(): void {
  source = new EventSource(`${PREFIX}/api/events`);
  source.onopen = () => changeState('live');
  source.onerror = () => changeState('lost');
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
