import { useMemo, useRef, useState } from 'preact/hooks';
import type { TraceDocument } from '../../src/trace/document.ts';
import { colourOf } from '../model/kinds.ts';
import { childrenOf } from '../model/tree.ts';
import type { WindowControl } from './use-window.ts';

const SPANS_MAX = 400;
const LEVELS_MAX = 8;
const LINE = 4;

interface TimeStripProps {
  readonly document: TraceDocument;
  readonly end: number;
  readonly view: WindowControl;
}

/** The whole request in small. Dragging over it chooses what is seen below; the buttons and keys do the same without a pointer. */
export function TimeStrip({ document, end, view }: TimeStripProps) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ start: number; now: number } | null>(null);
  const lines = useMemo(() => linesOf(document, end), [document, end]);
  const timeAt = (event: PointerEvent): number => {
    const { left, width } = (box.current as HTMLDivElement).getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - left) / width)) * end;
  };
  const shown = drag === null ? view : { from: Math.min(drag.start, drag.now), to: Math.max(drag.start, drag.now) };
  return (
    <div
      class="strip"
      aria-hidden="true"
      ref={box}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ start: timeAt(event), now: timeAt(event) });
      }}
      onPointerMove={(event) => drag !== null && setDrag({ ...drag, now: timeAt(event) })}
      onPointerUp={() => {
        if (drag !== null && shown.to - shown.from > end / 200) view.set(shown.from, shown.to);
        else view.reset();
        setDrag(null);
      }}
    >
      {lines}
      <span class="strip-window" style={{ left: percentOf(shown.from, end), right: percentOf(end - shown.to, end) }} />
    </div>
  );
}

const percentOf = (us: number, end: number): string => `${(us / end) * 100}%`;

/** The longest spans, each on the line of its level. */
function linesOf(document: TraceDocument, end: number) {
  const children = childrenOf(document.spans);
  const placed: { index: number; level: number; us: number }[] = [];
  const walk = (index: number, level: number): void => {
    const span = document.spans[index];
    if (span === undefined || level >= LEVELS_MAX) return;
    placed.push({ index, level, us: (span.endUs ?? end) - span.startUs });
    for (const child of children.get(index) ?? []) walk(child, level + 1);
  };
  for (const top of children.get(-1) ?? []) walk(top, 0);
  return placed
    .sort((a, b) => b.us - a.us)
    .slice(0, SPANS_MAX)
    .map(({ index, level, us }) => {
      const { startUs, kind, attributes } = document.spans[index] as TraceDocument['spans'][number];
      const style = { left: percentOf(startUs, end), width: percentOf(us, end), top: `${level * LINE + 3}px` };
      return <i key={index} class={colourOf(kind, attributes)} style={style} />;
    });
}
