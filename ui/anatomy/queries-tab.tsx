import { useState } from 'preact/hooks';
import type { RepeatedQuery, Span, TraceDocument } from '../../src/trace/document.ts';
import { sqlLine } from '../../src/trace/sql-line.ts';
import { duration, percent } from '../model/format.ts';
import { formatSql } from '../model/sql.ts';
import { CodePlace } from '../parts/code-place.tsx';
import { Empty } from '../parts/notices.tsx';

/** What the application asked its databases. */
export function QueriesTab({ document }: { readonly document: TraceDocument }) {
  const { queries, spans, times } = document;
  const [text, setText] = useState('');
  const [order, setOrder] = useState<'time' | 'order'>('order');
  if (queries.count === 0)
    return <Empty title="No query was seen">The application sent none, or the trace has stages only.</Empty>;
  const all = spans.filter(({ kind }) => kind === 'query');
  const found = all.filter((span) => sqlOf(span).toLowerCase().includes(text.toLowerCase()));
  const shown = order === 'time' ? [...found].sort((a, b) => timeOf(b) - timeOf(a)) : found;
  const most = Math.max(1, ...all.map(timeOf));
  const share = times.pythonUs > 0 ? `, ${percent(queries.us / times.pythonUs)} of Python's time` : '';
  return (
    <>
      <p class="lead">
        <b>{queries.count}</b> queries took <b>{duration(queries.us)}</b>
        {share}.
      </p>
      <Repeated title="N+1: one line sent these again and again, with other parameters" queries={queries.nPlusOne} />
      <Repeated title="Duplicates: the same text with the same parameters" queries={queries.duplicates} />
      <div class="toolbar">
        <label class="search">
          <span class="hidden">Search queries</span>
          <input
            type="search"
            value={text}
            placeholder="Search SQL"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <button
          type="button"
          class="chip"
          aria-pressed={order === 'time'}
          onClick={() => setOrder(order === 'time' ? 'order' : 'time')}
        >
          Slowest first
        </button>
      </div>
      <ol class="queries">
        {shown.map((span) => (
          <Query key={all.indexOf(span)} span={span} number={all.indexOf(span) + 1} most={most} />
        ))}
      </ol>
      {shown.length === 0 && <p class="muted">No query matches.</p>}
    </>
  );
}

function Repeated({ title, queries }: { readonly title: string; readonly queries: readonly RepeatedQuery[] }) {
  if (queries.length === 0) return null;
  return (
    <section class="card repeated tone-warn">
      <h2>{title}</h2>
      <ul>
        {queries.map(({ sql, count, us, file, line }) => (
          <li key={`${sql} ${line}`}>
            <span class="badge tone-warn">{count}×</span>
            <span>
              <CodePlace file={file} line={line} /> <span class="muted">{duration(us)} in total</span>
              <code class="sql-line">{sqlLine(sql)}</code>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Query({ span, number, most }: { readonly span: Span; readonly number: number; readonly most: number }) {
  const sql = sqlOf(span);
  const { rows, alias } = span.attributes;
  return (
    <li>
      <details>
        <summary>
          <span class="number muted">{number}</span>
          <span class="query-time">
            <i class="own-query" style={{ width: `${(timeOf(span) / most) * 100}%` }} />
            <span class="number">{duration(timeOf(span))}</span>
          </span>
          <code class="sql-line">{sqlLine(sql)}</code>
        </summary>
        <div class="query-detail">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
          <pre class="sql" tabIndex={0}>
            {formatSql(sql)}
          </pre>
          <p>
            <CodePlace file={span.file} line={span.line} />{' '}
            <span class="muted">
              {alias !== undefined && `database ${alias}`}
              {rows !== undefined && `, ${rows} rows`}
            </span>
          </p>
        </div>
      </details>
    </li>
  );
}

const sqlOf = (span: Span): string => String(span.attributes.sql ?? span.name);
const timeOf = ({ startUs, endUs }: Span): number => (endUs ?? startUs) - startUs;
