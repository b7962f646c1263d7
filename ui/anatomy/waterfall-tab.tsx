import { useMemo, useState } from 'preact/hooks';
import type { TraceDocument } from '../../src/trace/document.ts';
import { duration, plural } from '../model/format.ts';
import { ticks } from '../model/ticks.ts';
import { endOf, type Row, rowsOf } from '../model/tree.ts';
import { Empty } from '../parts/notices.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { GroupDetails } from './group-details.tsx';
import { SpanDetails } from './span-details.tsx';
import { SpanRow } from './span-row.tsx';
import { TimeStrip } from './time-strip.tsx';
import { keyAction } from './tree-keys.ts';
import { useWindow } from './use-window.ts';

const ROW_HEIGHT = 28;
const TICKS = 5;
/** Further to the right, in percent, the text of a tick has no room on its right side. */
const TEXT_LEFT_FROM = 88;

/** A span is slow if it took at least this part of the request. */
const SLOW_PART = 0.05;

interface WaterfallTabProps {
  readonly document: TraceDocument;
  /** Index of the span whose details are shown; -1 for none. */
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}

/** All spans on one time axis, as a tree. */
export function WaterfallTab({ document, selected, onSelect }: WaterfallTabProps) {
  const end = endOf(document);
  const [toggled, setToggled] = useState<ReadonlySet<number>>(new Set());
  const [text, setText] = useState('');
  const [slow, setSlow] = useState(false);
  const view = useWindow(end);
  const minUs = slow ? end * SLOW_PART : 0;
  const rows = useMemo(() => rowsOf(document, toggled, { text, minUs }), [document, toggled, text, minUs]);
  const active = rows.findIndex(({ id }) => id === selected);
  const toggle = (id: number): void => {
    const next = new Set(toggled);
    if (!next.delete(id)) next.add(id);
    setToggled(next);
  };
  const zoomTo = (id: number): void => {
    const row = rows.find((each) => each.id === id);
    if (row === undefined) return;
    const until = (row.group.at(-1) ?? row.span).endUs ?? end;
    const us = until - row.span.startUs;
    view.set(row.span.startUs - us * 0.05, until + us * 0.05);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rows[active];
    const action = keyAction(event.key, rows, active, row, { toggle, onSelect, zoomTo, view });
    if (action === null) return;
    event.preventDefault();
    action();
  };
  if (document.spans.length === 0)
    return <Empty title="No hop was recorded">The trace has only the summary above.</Empty>;
  return (
    <div class="waterfall">
      <div class="toolbar">
        <label class="search">
          <span class="hidden">Search spans</span>
          <input
            type="search"
            value={text}
            placeholder="Search names, SQL, files"
            spellcheck={false}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <button type="button" class="chip" aria-pressed={slow} onClick={() => setSlow(!slow)}>
          Only slow (≥ {duration(end * SLOW_PART)})
        </button>
        <span class="muted" role="status">
          {text === '' && !slow ? '' : plural(rows.filter(({ matches }) => matches).length, 'match', 'matches')}
        </span>
        <span class="grow" />
        <span class="buttons">
          <button type="button" class="button" onClick={() => view.zoom(0.5)} aria-label="Zoom in">
            +
          </button>
          <button type="button" class="button" onClick={() => view.zoom(2)} aria-label="Zoom out">
            −
          </button>
          <button type="button" class="button" onClick={view.reset} disabled={view.isWhole}>
            Whole request
          </button>
        </span>
      </div>
      <TimeStrip document={document} end={end} view={view} />
      <div class={`waterfall-body ${active >= 0 ? 'with-details' : ''}`}>
        <div class="card waterfall-tree">
          <div class="axis" aria-hidden="true">
            <div class="axis-scale">
              {ticks(view.from, view.to, TICKS).map((us) => {
                const left = ((us - view.from) / (view.to - view.from)) * 100;
                return (
                  <span key={us} class={left > TEXT_LEFT_FROM ? 'text-left' : ''} style={{ left: `${left}%` }}>
                    {us === 0 ? '0' : duration(us)}
                  </span>
                );
              })}
            </div>
          </div>
          <VirtualList
            count={rows.length}
            rowHeight={ROW_HEIGHT}
            active={active}
            attributes={{
              class: 'virtual spans',
              role: 'tree',
              tabIndex: 0,
              'aria-label': 'Spans of the request',
              onKeyDown,
              ...(active >= 0 ? { 'aria-activedescendant': `span-${selected}` } : {}),
            }}
            row={(index) => {
              const row = rows[index];
              return (
                row && (
                  <SpanRow
                    key={row.id}
                    row={row}
                    end={end}
                    view={view}
                    selected={row.id === selected}
                    onSelect={onSelect}
                    onToggle={toggle}
                    onZoom={zoomTo}
                  />
                )
              );
            }}
          />
          {rows.length === 0 && <p class="muted nothing">No span matches. Clear the search to see all of them.</p>}
        </div>
        {active >= 0 && (
          <Details row={rows[active] as Row} document={document} onClose={() => onSelect(-1)} onZoom={zoomTo} />
        )}
      </div>
      {document.detail === 'full' && document.spans.some(({ kind }) => kind === 'python') && (
        <p class="keys muted">What threads do that the application starts itself is not seen.</p>
      )}
      <p class="keys muted">
        <kbd>↑</kbd> <kbd>↓</kbd> choose, <kbd>←</kbd> <kbd>→</kbd> close and open, <kbd>z</kbd> zooms to the span,{' '}
        <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, drag over the small picture to choose a time
      </p>
    </div>
  );
}

interface DetailsProps {
  readonly row: Row;
  readonly document: TraceDocument;
  readonly onClose: () => void;
  readonly onZoom: (id: number) => void;
}

function Details({ row, document, onClose, onZoom }: DetailsProps) {
  return row.group.length > 0 ? (
    <GroupDetails group={row.group} onClose={onClose} onZoom={() => onZoom(row.id)} />
  ) : (
    <SpanDetails document={document} index={row.id} onClose={onClose} onZoom={onZoom} />
  );
}
