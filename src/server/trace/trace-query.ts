import type { TraceFilter } from '../../trace/store.ts';

/** As many as the ring of a busy server keeps: the page shows all of them. */
const LIMIT_MAX = 10_000;
const LIMIT_DEFAULT = 100;
/** Nobody searches for a longer text. */
const TEXT_CHARS_MAX = 1000;

/** What of the query must be texts. */
const TEXTS = ['method', 'path', 'not_path', 'route', 'sql', 'error'] as const;

/** The conditions in the query of `GET api/requests`, or a sentence about what is wrong with them. An empty value asks for nothing. */
export function readTraceQuery(query: URLSearchParams): TraceFilter | string {
  const texts: Partial<Record<(typeof TEXTS)[number], string>> = {};
  for (const name of TEXTS) {
    const text = query.get(name) ?? '';
    if (text.length > TEXT_CHARS_MAX) return `The value of ${name} may have ${TEXT_CHARS_MAX} characters`;
    if (text !== '') texts[name] = name === 'method' ? text.toUpperCase() : text;
  }
  const status = (query.get('status') ?? '').toLowerCase();
  if (status !== '' && !/^[1-5](?:\d\d|xx)$/.test(status))
    return 'The status must be a number such as 404, or a class such as 5xx';
  const minMs = query.get('min_ms') ?? '';
  if (minMs !== '' && !/^\d{1,9}(?:\.\d{1,6})?$/.test(minMs))
    return 'The value of min_ms must be a number of milliseconds';
  const after = query.get('after') ?? '';
  if (after !== '' && !/^\d{1,15}$/.test(after)) return 'The value of after must be the number of a trace';
  const limit = query.get('limit') ?? `${LIMIT_DEFAULT}`;
  if (!/^\d{1,5}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMIT_MAX)
    return `The limit must be from 1 to ${LIMIT_MAX}`;
  const { not_path: notPath, ...named } = texts;
  return {
    ...named,
    ...(notPath === undefined ? {} : { notPath }),
    ...(status === '' ? {} : { status }),
    ...(minMs === '' ? {} : { minUs: Math.round(Number(minMs) * 1000) }),
    ...(after === '' ? {} : { after: Number(after) }),
    limit: Number(limit),
  };
}
