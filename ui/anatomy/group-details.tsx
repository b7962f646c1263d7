import type { Span } from '../../src/trace/document.ts';
import { duration, plural } from '../model/format.ts';
import { kindName } from '../model/kinds.ts';
import { formatSql } from '../model/sql.ts';
import { CodePlace } from '../parts/code-place.tsx';

interface GroupDetailsProps {
  readonly group: readonly Span[];
  readonly onClose: () => void;
  readonly onZoom: () => void;
}

/** What several spans of one kind and name have in common. */
export function GroupDetails({ group, onClose, onZoom }: GroupDetailsProps) {
  const times = group.map(({ startUs, endUs }) => (endUs ?? startUs) - startUs);
  const total = times.reduce((sum, us) => sum + us, 0);
  const [first] = group as readonly [Span];
  const places = new Map(group.map(({ file, line }) => [`${file}:${line}`, { file, line }]));
  const facts = [
    ['In total', duration(total)],
    ['Each', `${duration(total / group.length)} on average, at most ${duration(Math.max(...times))}`],
  ] as const;
  return (
    <aside class="card details" aria-label="Details of the group">
      <div class="details-head">
        <p class="eyebrow">{kindName(first.kind)}</p>
        <button type="button" class="button small" onClick={onClose}>
          Close
        </button>
      </div>
      <h3>
        {first.kind === 'query'
          ? plural(group.length, 'similar query', 'similar queries')
          : `${group.length} × ${first.name}`}
      </h3>
      {first.attributes.sql !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it
        <pre class="sql" tabIndex={0}>
          {formatSql(String(first.attributes.sql))}
        </pre>
      )}
      <dl class="details-list">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>Code</dt>
          <dd>
            {[...places.values()].map(({ file, line }) => (
              <CodePlace key={`${file}:${line}`} file={file} line={line} />
            ))}
          </dd>
        </div>
      </dl>
      <button type="button" class="button small" onClick={onZoom}>
        Zoom to them
      </button>
      {first.kind === 'query' && places.size === 1 && (
        <section class="explanation">
          <h4>What is this?</h4>
          <p>
            One line sent the same query again and again: N+1. Fetch all rows with one query; in Django with
            select_related or prefetch_related.
          </p>
        </section>
      )}
    </aside>
  );
}
