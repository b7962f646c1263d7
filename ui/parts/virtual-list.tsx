import type { ComponentChildren, HTMLAttributes } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Lines above and below what is seen, so that scrolling shows no gaps. */
const MARGIN = 8;

interface VirtualListProps {
  readonly count: number;
  /** All lines have this height, in pixels. */
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** The line to keep in view; -1 for none. */
  readonly active: number;
  /** How many lines came in at the top since the list was made: whoever has scrolled keeps what he reads. */
  readonly addedAtTop?: number;
  readonly attributes: HTMLAttributes<HTMLDivElement>;
}

/** A scrolling list that has only the lines that are seen in the document. */
export function VirtualList({ count, rowHeight, row, active, addedAtTop = 0, attributes }: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null);
  const added = useRef(addedAtTop);
  const [range, setRange] = useState({ from: 0, to: 40 });

  const measure = (): void => {
    const { current } = box;
    if (current === null) return;
    const from = Math.max(0, Math.floor(current.scrollTop / rowHeight) - MARGIN);
    const to = Math.ceil((current.scrollTop + current.clientHeight) / rowHeight) + MARGIN;
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
  };

  useLayoutEffect(() => {
    const { current } = box;
    const more = addedAtTop - added.current;
    added.current = addedAtTop;
    if (current !== null && more > 0 && current.scrollTop > 0) current.scrollTop += more * rowHeight;
    measure();
  });

  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const { current } = box;
    if (current === null || active < 0) return;
    const top = active * rowHeight;
    if (top < current.scrollTop) current.scrollTop = top;
    else if (top + rowHeight > current.scrollTop + current.clientHeight)
      current.scrollTop = top + rowHeight - current.clientHeight;
  }, [active, rowHeight]);

  const from = Math.min(range.from, count);
  const to = Math.min(count, range.to);
  return (
    <div {...attributes} ref={box} onScroll={measure}>
      <div class="virtual-space" role="presentation" style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-rows" role="presentation" style={{ transform: `translateY(${from * rowHeight}px)` }}>
          {Array.from({ length: Math.max(0, to - from) }, (_, index) => row(from + index))}
        </div>
      </div>
    </div>
  );
}
