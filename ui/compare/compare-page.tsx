import type { TraceDocument } from '../../src/trace/document.ts';
import { sqlLine, sqlTitle } from '../../src/trace/sql-line.ts';
import { DifferenceTable } from '../anatomy/headers-tab.tsx';
import { getTrace } from '../data/api.ts';
import { pairQueries, pairSpans, type SpanPair } from '../model/comparison.ts';
import { clock, difference, duration } from '../model/format.ts';
import { compareFields } from '../model/header-changes.ts';
import { colourOf, kindName, partsOf } from '../model/kinds.ts';
import { Method, Status } from '../parts/badges.tsx';
import { Link } from '../parts/link.tsx';
import { Loading, Problem } from '../parts/notices.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { TimeBar } from '../parts/time-bar.tsx';
import { useData } from '../parts/use-data.ts';
import { anatomyPath, comparePath } from '../router.ts';

/** Two requests side by side: the first is what the second is compared with. */
export function ComparePage({ left, right }: { readonly left: string; readonly right: string }) {
  const { data, problem, reload } = useData(`compare ${left} ${right}`, () =>
    Promise.all([getTrace(left), getTrace(right)]),
  );
  if (problem !== '') return <Problem message={problem} retry={reload} />;
  return data === null ? <Loading /> : <Comparison before={data[0]} after={data[1]} />;
}

interface Pair {
  readonly before: TraceDocument;
  readonly after: TraceDocument;
}

function Comparison({ before, after }: Pair) {
  return (
    <div class="page compare">
      <header class="page-head">
        <h1>Two requests</h1>
        <Link to={comparePath(after.id, before.id)} class="button">
          Swap sides
        </Link>
      </header>
      <div class="two">
        <Side title="A" document={before} />
        <Side title="B" document={after} />
      </div>
      <TimesTable before={before} after={after} />
      <SpansTable before={before} after={after} />
      <QueriesTable before={before} after={after} />
      <section class="card" aria-labelledby="headers-title">
        <h2 id="headers-title">Headers that differ</h2>
        <Headers title="Request" before={before.request.headers} after={after.request.headers} />
        <Headers title="Response" before={before.response?.headers ?? []} after={after.response?.headers ?? []} />
      </section>
    </div>
  );
}

function Side({ title, document }: { readonly title: string; readonly document: TraceDocument }) {
  const { id, request, response, durationUs, startedAt, times, exception } = document;
  return (
    <section class="card side" aria-label={`Request ${title}`}>
      <p class="eyebrow">{title}</p>
      <p class="summary-line">
        <Status status={response?.status ?? 0} />
        <Link to={anatomyPath(id)} class="target">
          <Method method={request.method} /> {request.target}
        </Link>
      </p>
      <p>
        <b>{durationUs === null ? document.state : duration(durationUs)}</b>{' '}
        <span class="muted">
          at {clock(startedAt)}, {document.queries.count} queries
        </span>
      </p>
      {exception !== null && <p class="row-error">{`${exception.type}: ${exception.message}`}</p>}
      <TimeBar parts={partsOf(times)} />
    </section>
  );
}

function TimesTable({ before, after }: Pair) {
  const right = partsOf(after.times);
  const rows = partsOf(before.times).map((part, index) => ({ ...part, other: right[index]?.us ?? 0 }));
  return (
    <section class="card" aria-labelledby="times-title">
      <h2 id="times-title">Where the time went</h2>
      <Scroll>
        <table class="table">
          <Head first="Part" />
          <tbody>
            {rows
              .filter(({ us, other }) => us > 0 || other > 0)
              .map(({ owner, label, us, other }) => (
                <tr key={owner}>
                  <th scope="row">
                    <i class={`dot own-${owner}`} /> {label}
                  </th>
                  <Numbers left={us} right={other} />
                </tr>
              ))}
            <tr class="total">
              <th scope="row">All</th>
              <Numbers left={before.durationUs} right={after.durationUs} />
            </tr>
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Head({ first }: { readonly first: string }) {
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        <th scope="col" class="number">
          A
        </th>
        <th scope="col" class="number">
          B
        </th>
        <th scope="col" class="number">
          Difference
        </th>
      </tr>
    </thead>
  );
}

/** A difference is marked if it is more than a tenth, and more than people notice. */
const NOTICED_US = 500;

function Numbers({ left, right }: { readonly left: number | null; readonly right: number | null }) {
  const change = left === null || right === null ? null : right - left;
  const isNoticed = change !== null && Math.abs(change) > NOTICED_US && Math.abs(change) > (left ?? 0) / 10;
  return (
    <>
      <td class="number">{left === null ? '–' : duration(left)}</td>
      <td class="number">{right === null ? '–' : duration(right)}</td>
      <td class={`number ${isNoticed ? ((change ?? 0) > 0 ? 'worse' : 'better') : ''}`}>
        {change === null ? (left === null ? 'only in B' : 'only in A') : difference(change)}
      </td>
    </>
  );
}

function SpansTable({ before, after }: Pair) {
  return (
    <section class="card" aria-labelledby="spans-title">
      <h2 id="spans-title">Hops</h2>
      <Scroll class="tall">
        <table class="table spans-table">
          <Head first="Hop" />
          <tbody>
            {pairSpans(before, after).map((pair, index) => (
              <tr key={index}>
                <th scope="row" style={{ '--level': Math.min(pair.level, 12) }}>
                  <i class={`dot ${colourOf(pair.kind)}`} /> <span class="muted">{kindName(pair.kind)}</span>{' '}
                  {nameOf(pair)} <span class="muted">{timesOf(pair)}</span>
                </th>
                <Numbers left={pair.leftUs} right={pair.rightUs} />
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function nameOf({ kind, name }: SpanPair): string {
  if (kind === 'query') return sqlTitle(name);
  return name === kind ? '' : name;
}

function timesOf({ leftCount, rightCount }: SpanPair): string {
  if (Math.max(leftCount, rightCount) <= 1) return '';
  return leftCount === rightCount ? `${leftCount}×` : `${leftCount}× → ${rightCount}×`;
}

function QueriesTable({ before, after }: Pair) {
  const pairs = pairQueries(before, after).filter(({ leftCount, rightCount }) => leftCount !== rightCount);
  return (
    <section class="card" aria-labelledby="queries-title">
      <h2 id="queries-title">Queries</h2>
      <p>
        {before.queries.count} in A, {after.queries.count} in B.
      </p>
      {pairs.length === 0 ? (
        <p class="muted">Both sent the same queries, each as often.</p>
      ) : (
        <ul class="query-pairs">
          {pairs.map(({ sql, leftCount, rightCount, leftUs, rightUs }) => (
            <li key={sql}>
              <span class={`badge ${rightCount > leftCount ? 'tone-warn' : 'tone-good'}`}>
                {leftCount} → {rightCount}
              </span>{' '}
              <span class="number">{difference(rightUs - leftUs)}</span>
              <code class="sql-line">{sqlLine(sql)}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface HeadersProps {
  readonly title: string;
  readonly before: TraceDocument['request']['headers'];
  readonly after: TraceDocument['request']['headers'];
}

function Headers({ title, before, after }: HeadersProps) {
  const fields = compareFields(before, after).filter(({ change }) => change !== 'same');
  return (
    <>
      <h3>{title}</h3>
      {fields.length === 0 ? <p class="muted">The same in both.</p> : <DifferenceTable fields={fields} />}
    </>
  );
}
