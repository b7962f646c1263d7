import type { Digest, KeptTrace } from './kept-trace.ts';
import type { ErrorGroup, TraceSummary } from './store.ts';

const GROUPS_MAX = 200;
/** The newest traces of a group. */
const TRACES_MAX = 20;
const ROUTES_MAX = 20;

interface Group {
  readonly cause: string;
  readonly error: string;
  readonly request: string;
  count: number;
  firstAt: string;
  readonly lastAt: string;
  readonly routes: Set<string>;
  readonly traces: string[];
  readonly newest: KeptTrace;
}

/** Groups the failed requests among `newestFirst` by their causes, the group with the newest trace first. */
export function groupErrors(newestFirst: readonly KeptTrace[], digestOf: (kept: KeptTrace) => Digest): ErrorGroup[] {
  const groups = new Map<string, Group>();
  for (const kept of newestFirst) {
    if (!kept.mayHaveError) continue;
    const { cause, summary } = digestOf(kept);
    if (cause === '') continue;
    let group = groups.get(cause);
    if (group === undefined) {
      if (groups.size >= GROUPS_MAX) continue;
      group = groupOf(cause, summary, kept);
      groups.set(cause, group);
    }
    group.count += 1;
    group.firstAt = summary.startedAt;
    if (summary.route !== '' && group.routes.size < ROUTES_MAX) group.routes.add(summary.route);
    if (group.traces.length < TRACES_MAX) group.traces.push(summary.id);
  }
  return [...groups.values()].map(({ routes, newest, ...group }) => ({
    ...group,
    routes: [...routes],
    traceback: newest.document().exception?.traceback ?? '',
  }));
}

function groupOf(cause: string, { startedAt, error, status, method, target }: TraceSummary, newest: KeptTrace): Group {
  const times = { count: 0, firstAt: startedAt, lastAt: startedAt };
  const request = `${method} ${target}`;
  return { cause, error: error || `status ${status}`, request, ...times, routes: new Set(), traces: [], newest };
}
