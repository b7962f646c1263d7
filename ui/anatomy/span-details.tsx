import type { TraceDocument } from '../../src/trace/document.ts';
import { EXPLANATIONS } from '../model/explanations.ts';
import { duration, percent } from '../model/format.ts';
import { changesByHop } from '../model/header-changes.ts';
import { kindName } from '../model/kinds.ts';
import { selfTimes } from '../model/self-time.ts';
import { formatSql } from '../model/sql.ts';
import { endOf } from '../model/tree.ts';
import { CodePlace } from '../parts/code-place.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { ChangeList } from './change-list.tsx';

interface SpanDetailsProps {
  readonly document: TraceDocument;
  readonly index: number;
  readonly onClose: () => void;
  readonly onZoom: (index: number) => void;
}

/** All that is known of one span, and what it is. */
export function SpanDetails({ document, index, onClose, onZoom }: SpanDetailsProps) {
  const span = document.spans[index];
  if (span === undefined) return null;
  const end = endOf(document);
  const us = (span.endUs ?? end) - span.startUs;
  const { sql, ...attributes } = span.attributes;
  const changes = changesByHop(document.hops).filter(({ hop }) => hop.span === index);
  const explanation = EXPLANATIONS[span.kind];
  return (
    <aside class="card details" aria-label="Details of the span">
      <div class="details-head">
        <p class="eyebrow">{kindName(span.kind)}</p>
        <button type="button" class="button small" onClick={onClose}>
          Close
        </button>
      </div>
      <h3>{sql === undefined ? span.name : 'Query'}</h3>
      {sql !== undefined && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
          <pre class="sql" tabIndex={0}>
            {formatSql(String(sql))}
          </pre>
          <CopyButton text={String(sql)} label="Copy SQL" />
        </>
      )}
      <dl class="details-list">
        <div>
          <dt>Time</dt>
          <dd>
            <b>{span.endUs === null ? 'its end is not known' : duration(us)}</b>{' '}
            <span class="muted">{percent(us / end)} of the request</span>
          </dd>
        </div>
        <div>
          <dt>Of its own</dt>
          <dd>{duration(selfTimes(document)[index] as number)}</dd>
        </div>
        <div>
          <dt>Starts at</dt>
          <dd>{duration(span.startUs)}</dd>
        </div>
        {Object.entries(attributes).map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd class="mono">{String(value)}</dd>
          </div>
        ))}
        {span.file !== '' && (
          <div>
            <dt>Code</dt>
            <dd>
              <CodePlace file={span.file} line={span.line} />
            </dd>
          </div>
        )}
      </dl>
      <p>
        <button type="button" class="button small" onClick={() => onZoom(index)}>
          Zoom to it
        </button>
      </p>
      {changes.map((each) => (
        <section key={each.index}>
          <h4>{each.hop.direction === 'request' ? 'Passed on the request' : 'Passed on the response'}</h4>
          <ChangeList changes={each} />
        </section>
      ))}
      <section class="explanation">
        <h4>What is this?</h4>
        <p>{explanation.what}</p>
        <p>
          <b>Elsewhere:</b> {explanation.elsewhere}
        </p>
      </section>
    </aside>
  );
}
