import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { TraceSummary, TraceUsage } from '../../src/trace/store.ts';
import { getRequests } from '../data/api.ts';
import { subscribe } from '../data/events.ts';
import { matchesQuery, prepend, type RequestQuery } from '../model/request-filter.ts';

/** The default of the ring. */
export const REQUESTS_MAX = 10_000;
/** What is asked for first, so that something is there at once. */
const FIRST = 100;
const TYPING_MS = 150;
const SQL_RELOAD_MS = 1000;

export interface Requests {
  readonly list: readonly TraceSummary[];
  readonly usage: TraceUsage | null;
  /** How many came in at the top since the list was loaded. */
  readonly added: number;
  /** How many wait because of a pause. */
  readonly waiting: number;
  readonly loading: boolean;
  readonly problem: string;
}

const NONE: Requests = { list: [], usage: null, added: 0, waiting: 0, loading: true, problem: '' };

/** The requests of a search: first those that are kept, then those that come, unless it is paused. */
export function useRequests(query: RequestQuery, paused: boolean): Requests {
  const [state, setState] = useState(NONE);
  const held = useRef<TraceSummary[]>([]);
  const key = JSON.stringify(query);

  useEffect(() => {
    let isCurrent = true;
    held.current = [];
    setState((old) => ({ ...old, loading: true, waiting: 0 }));
    const load = async (): Promise<void> => {
      try {
        for (const limit of [FIRST, REQUESTS_MAX]) {
          const { requests, usage } = await getRequests(query, limit);
          if (!isCurrent) return;
          const isLast = limit === REQUESTS_MAX || requests.length < limit;
          setState((old) => {
            // Those that came while the answer was on its way are not in it.
            const fresh = query.sql === '' ? old.list.filter((summary) => matchesQuery(summary, query)) : [];
            const list = requests.length === 0 ? requests : prepend(requests, fresh, REQUESTS_MAX);
            return { ...old, list, usage, added: 0, loading: !isLast, problem: '' };
          });
          if (isLast) return;
        }
      } catch (error) {
        if (isCurrent) setState((old) => ({ ...old, loading: false, problem: (error as Error).message }));
      }
    };
    const timer = setTimeout(load, state === NONE ? 0 : TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [key]);

  // Before what comes next: after a pause, no request may reach the list by the function from before.
  useLayoutEffect(() => {
    const add = (fresh: readonly TraceSummary[]): void =>
      setState((old) => {
        const list = prepend(old.list, fresh, REQUESTS_MAX);
        if (list === old.list) return { ...old, waiting: 0 };
        const added = old.added + fresh.filter(({ number }) => number > (old.list[0]?.number ?? 0)).length;
        return { ...old, list, added, waiting: 0 };
      });
    if (!paused && held.current.length > 0) {
      add(held.current);
      held.current = [];
    }
    let isAsked = false;
    const askServer = async (): Promise<void> => {
      isAsked = true;
      await new Promise((resolve) => setTimeout(resolve, SQL_RELOAD_MS));
      const { requests } = await getRequests(query, FIRST).catch(() => ({ requests: [] }));
      add(requests);
      isAsked = false;
    };
    return subscribe({
      onRequests(summaries) {
        if (query.sql !== '') {
          if (!paused && !isAsked) void askServer();
          return;
        }
        const matching = summaries.filter((summary) => matchesQuery(summary, query));
        if (matching.length === 0) return;
        if (!paused) return add(matching);
        held.current = [...matching, ...held.current].slice(0, REQUESTS_MAX);
        setState((old) => ({ ...old, waiting: held.current.length }));
      },
    });
  }, [key, paused]);

  return state;
}
