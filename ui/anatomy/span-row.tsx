// biome-ignore-all lint/a11y/useKeyWithClickEvents: the tree handles the keys of all lines

import { sqlTitle } from '../../src/trace/sql-line.ts';
import { duration } from '../model/format.ts';
import { colourOf, kindName } from '../model/kinds.ts';
import type { Row } from '../model/tree.ts';
import type { TimeWindow } from './use-window.ts';

interface SpanRowProps {
  readonly row: Row;
  readonly end: number;
  readonly view: TimeWindow;
  readonly selected: boolean;
  readonly onSelect: (id: number) => void;
  readonly onToggle: (id: number) => void;
  readonly onZoom: (id: number) => void;
}

/** One line of the waterfall: what it is, and when. */
export function SpanRow({ row, end, view, selected, onSelect, onToggle, onZoom }: SpanRowProps) {
  const { id, span, group, level, children, open, matches } = row;
  const failed = span.attributes.error !== undefined;
  return (
    <div
      role="treeitem"
      id={`span-${id}`}
      class={`span-row ${matches ? '' : 'dimmed'} ${failed ? 'failed' : ''}`}
      aria-level={level}
      aria-selected={selected}
      aria-expanded={children > 0 ? open : undefined}
      tabIndex={-1}
      onClick={() => onSelect(id)}
      onDblClick={() => onZoom(id)}
    >
      <span class="span-name" style={{ '--level': Math.min(level - 1, 12) }}>
        <span
          class={`twist ${children === 0 ? 'leaf' : open ? 'open' : ''}`}
          aria-hidden="true"
          onClick={(event) => {
            if (children === 0) return;
            event.stopPropagation();
            onToggle(id);
          }}
        />
        <i class={`dot ${colourOf(span.kind, span.attributes)}`} aria-hidden="true" />
        <span class="span-kind">{kindName(span.kind)}</span>
        {(group.length > 0 || !open) && <span class={`count ${group.length > 0 ? 'tone-warn' : ''}`}>{children}×</span>}
        <span class="span-text">{textOf(row)}</span>
      </span>
      <span class="span-time">
        <Bar row={row} end={end} view={view} />
        <span class="hidden">{timeOf(row)}</span>
      </span>
    </div>
  );
}

function textOf({ span }: Row): string {
  if (span.kind === 'query') return sqlTitle(String(span.attributes.sql ?? span.name));
  return span.name === span.kind ? '' : span.name;
}

/** The time of a span, or of all spans of a group. */
function timeOf({ span, group }: Row): string {
  if (span.endUs === null) return 'end not known';
  const spans = group.length === 0 ? [span] : group;
  const us = spans.reduce((sum, { startUs, endUs }) => sum + (endUs ?? startUs) - startUs, 0);
  return us === 0 ? '< 1 µs' : duration(us);
}

/** The bar, with its time on the side where there is room. What has others within it is pale, because they have the time. */
function Bar({ row, end, view }: { readonly row: Row; readonly end: number; readonly view: TimeWindow }) {
  const { span, group, children } = row;
  const width = view.to - view.from;
  const until = (group.at(-1) ?? span).endUs ?? end;
  const left = ((span.startUs - view.from) / width) * 100;
  const right = ((until - view.from) / width) * 100;
  if (right < 0 || left > 100) return <span class={`off ${right < 0 ? 'before' : 'after'}`} aria-hidden="true" />;
  const from = Math.max(0, left);
  const to = Math.min(100, right);
  const side = to < 82 ? { '--at': `${to}%` } : from > 34 ? { right: `${100 - from}%` } : { right: '0' };
  const place = to < 82 ? `after ${to > 55 ? 'late' : ''}` : from <= 34 ? 'inside' : '';
  const state = span.endUs === null ? 'unended' : children > 0 && group.length === 0 ? 'pale' : '';
  return (
    <span aria-hidden="true">
      <i
        class={`bar ${colourOf(span.kind, span.attributes)} ${state}`}
        style={{ left: `${from}%`, width: `${to - from}%` }}
      />
      <span class={`bar-label ${place}`} style={side}>
        {span.endUs === null ? '…' : timeOf(row)}
      </span>
    </span>
  );
}
