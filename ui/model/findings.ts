import type { TraceDocument } from '../../src/trace/document.ts';
import { duration, percent, plural } from './format.ts';
import { changesByHop } from './header-changes.ts';
import { spanLabel } from './kinds.ts';
import { selfTimes } from './self-time.ts';

/** What a person should look at first, and the tab where it is. */
export interface Finding {
  readonly tone: 'bad' | 'warn' | 'info';
  readonly title: string;
  readonly text: string;
  readonly tab: string;
  /** The span to select; -1 without one. */
  readonly span: number;
  readonly file: string;
  readonly line: number;
}

/** What servers change in every message, and what belongs to the trace. */
const USUAL = new Set([
  ...['connection', 'content-length', 'content-encoding', 'date', 'vary'],
  ...['viaduct-trace', 'traceparent', 'tracestate'],
]);

/** The hops that only development has: the page in place of a failure, and the bar. */
const OF_DEVELOPMENT = new Set(['the page of the failure', 'handler devBar']);

/** What stands out in a request, the worst first. */
export function findingsOf(document: TraceDocument): readonly Finding[] {
  return [...failure(document), ...repeated(document), ...slowest(document), ...headers(document)];
}

const FAILED = 500;
const NOWHERE = { span: -1, file: '', line: 0 };

function failure({ exception, response }: TraceDocument): readonly Finding[] {
  if (exception !== null) {
    const frame = exception.frames.findLast(({ isProject }) => isProject) ?? exception.frames.at(-1);
    const at = frame === undefined ? '' : `Raised in ${frame.function}.`;
    const where = { span: -1, file: frame?.file ?? '', line: frame?.line ?? 0 };
    const title = `${exception.type}: ${exception.message}`;
    return [{ tone: 'bad', title, text: at, tab: 'exception', ...where }];
  }
  if (response === null || (response.reason === '' && response.status < FAILED)) return [];
  if (response.reason === '') {
    const text = 'The application or the backend answered so itself, without an exception that is known.';
    return [{ tone: 'bad', title: `Status ${response.status}`, text, tab: 'waterfall', ...NOWHERE }];
  }
  const text = `The answer with status ${response.status} is Viaduct's own.`;
  return [{ tone: 'bad', title: response.reason, text, tab: 'waterfall', ...NOWHERE }];
}

function repeated({ queries, times }: TraceDocument): readonly Finding[] {
  const share = (us: number): string =>
    times.pythonUs > 0 ? `, ${percent(us / times.pythonUs)} of Python's time` : '';
  const loops = queries.nPlusOne.map(({ count, us, file, line }) => ({
    tone: 'warn' as const,
    title: `N+1: ${count} similar queries from one line`,
    text: `${duration(us)} in the database${share(us)}. Fetch them with one query: select_related or prefetch_related in Django.`,
    tab: 'queries',
    span: -1,
    file,
    line,
  }));
  const wasted = queries.duplicates.reduce((sum, { count }) => sum + count - 1, 0);
  if (wasted === 0) return loops;
  const us = queries.duplicates.reduce((sum, each) => sum + (each.us * (each.count - 1)) / each.count, 0);
  const text = `${duration(us)} for answers that the request already had.`;
  return [
    ...loops,
    { tone: 'info', title: plural(wasted, 'duplicate query', 'duplicate queries'), text, tab: 'queries', ...NOWHERE },
  ];
}

/** So many queries cost more outside of the database than in it. */
const MANY_QUERIES = 10;

/** The span that has the most time of its own, if that is a third of the request. */
function slowest(document: TraceDocument): readonly Finding[] {
  const total = document.durationUs ?? 0;
  if (total <= 0) return [];
  const times = selfTimes(document);
  const own = document.spans
    .map((span, index) => ({ span, index, us: times[index] as number }))
    .filter(({ span }) => span.kind !== 'connection' && span.kind !== 'tls'); // they were before the request
  const most = own.sort((a, b) => b.us - a.us)[0];
  if (most === undefined || most.us < total / 3) return [];
  const { kind, name, file, line } = most.span;
  const queries = document.spans.filter((span) => span.kind === 'query' && span.parent === most.index).length;
  const around = queries < MANY_QUERIES ? '' : ` That includes the work for ${queries} queries.`;
  const text = `${duration(most.us)} of its own, ${percent(most.us / total)} of the request.${around}`;
  return [
    { tone: 'info', title: `Slowest: ${spanLabel(kind, name)}`, text, tab: 'waterfall', span: most.index, file, line },
  ];
}

function headers({ hops, spans }: TraceDocument): readonly Finding[] {
  const ofSite = changesByHop(hops).filter(({ hop }) => !OF_DEVELOPMENT.has(hop.name));
  const changed = ofSite.flatMap(({ hop, changes }) =>
    changes
      .filter(({ change, name }) => (change === 'changed' || change === 'removed') && !USUAL.has(name.toLowerCase()))
      .map((each) => ({ hop, ...each })),
  );
  return changed.slice(0, 3).map(({ hop, name, change, before, after }) => ({
    tone: 'info',
    title: `${hop.name} ${change} ${name}`,
    text: change === 'removed' ? `It was ${before.join(', ')}` : `${before.join(', ')} → ${after.join(', ')}`,
    tab: 'headers',
    span: hop.span,
    file: spans[hop.span]?.file ?? '',
    line: spans[hop.span]?.line ?? 0,
  }));
}
