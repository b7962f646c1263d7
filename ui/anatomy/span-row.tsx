// biome-ignore-all lint/a11y/useKeyWithClickEvents: the tree handles the keys of all lines
import { duration } from '../model/format.ts';
import { kindName, ownerOf } from '../model/kinds.ts';
import { oneLine } from '../model/sql.ts';
import type { Row } from '../model/tree.ts';
import type { TimeWindow } from './use-window.ts';

interface SpanRowProps {
  readonly row: Row;
  readonly end: number;
  readonly view: TimeWindow;
  readonly selected: boolean;
  readonly onSelect: (index: number) => void;
  readonly onToggle: (index: number, open: boolean) => void;
  readonly onZoom: (index: number) => void;
}

/** One line of the waterfall: what it is, and when. */
export function SpanRow({ row, end, view, selected, onSelect, onToggle, onZoom }: SpanRowProps) {
  const { index, span, level, children, open, matches } = row;
  const failed = span.attributes.error !== undefined;
  const us = (span.endUs ?? end) - span.startUs;
  return (
    <div
      role="treeitem"
      id={`span-${index}`}
      class={`span-row ${matches ? '' : 'dimmed'} ${failed ? 'failed' : ''}`}
      aria-level={level}
      aria-selected={selected}
      aria-expanded={children > 0 ? open : undefined}
      tabIndex={-1}
      onClick={() => onSelect(index)}
      onDblClick={() => onZoom(index)}
    >
      <span class="span-name" style={{ paddingLeft: `${Math.min(level - 1, 12) * 14}px` }}>
        <span
          class={`twist ${children === 0 ? 'leaf' : open ? 'open' : ''}`}
          aria-hidden="true"
          onClick={(event) => {
            if (children === 0) return;
            event.stopPropagation();
            onToggle(index, !open);
          }}
        />
        <i class={`dot own-${ownerOf(span.kind)}`} aria-hidden="true" />
        <span class="span-kind">{kindName(span.kind)}</span>
        <span class="span-text">{textOf(row)}</span>
        {!open && <span class="count">{children}</span>}
      </span>
      <span class="span-time">
        <Bar row={row} end={end} view={view} />
        <span class="hidden">{span.endUs === null ? 'end not known' : duration(us)}</span>
      </span>
    </div>
  );
}

function textOf({ span }: Row): string {
  if (span.kind === 'query') return oneLine(String(span.attributes.sql ?? span.name));
  return span.name === span.kind ? '' : span.name;
}

/** The bar, with its time on the side where there is room. */
function Bar({ row: { span }, end, view }: { readonly row: Row; readonly end: number; readonly view: TimeWindow }) {
  const width = view.to - view.from;
  const until = span.endUs ?? end;
  const left = ((span.startUs - view.from) / width) * 100;
  const right = ((until - view.from) / width) * 100;
  if (right < 0 || left > 100) return <span class={`off ${right < 0 ? 'before' : 'after'}`} aria-hidden="true" />;
  const from = Math.max(0, left);
  const to = Math.min(100, right);
  const label = span.endUs === null ? '…' : duration(until - span.startUs);
  const side = to < 82 ? { left: `${to}%` } : from > 18 ? { right: `${100 - from}%` } : { right: '0' };
  return (
    <span aria-hidden="true">
      <i
        class={`bar own-${ownerOf(span.kind)} ${span.endUs === null ? 'unended' : ''}`}
        style={{ left: `${from}%`, width: `${to - from}%` }}
      />
      <span class={`bar-label ${to >= 82 && from <= 18 ? 'inside' : ''}`} style={side}>
        {label}
      </span>
    </span>
  );
}
