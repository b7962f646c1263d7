import type { Row } from '../model/tree.ts';
import type { WindowControl } from './use-window.ts';

export interface TreeActions {
  readonly toggle: (id: number) => void;
  readonly onSelect: (index: number) => void;
  readonly zoomTo: (index: number) => void;
  readonly view: WindowControl;
}

/** What a key does in the tree (the pattern "tree view" of WAI-ARIA); null if it does nothing. */
export function keyAction(
  key: string,
  rows: readonly Row[],
  active: number,
  row: Row | undefined,
  { toggle, onSelect, zoomTo, view }: TreeActions,
): (() => void) | null {
  const go = (to: number): (() => void) => {
    const target = rows[Math.max(0, Math.min(rows.length - 1, to))];
    return () => target !== undefined && onSelect(target.id);
  };
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return go(active + 1);
    case 'ArrowUp':
    case 'k':
      return go(active - 1);
    case 'Home':
      return go(0);
    case 'End':
      return go(rows.length - 1);
    case 'PageDown':
      return go(active + 15);
    case 'PageUp':
      return go(active - 15);
    case 'Enter':
    case ' ':
      return active < 0 ? go(0) : null;
    case 'Escape':
      return () => onSelect(-1);
    case 'ArrowRight':
      if (row === undefined || row.children === 0) return null;
      return row.open ? go(active + 1) : () => toggle(row.id);
    case 'ArrowLeft':
      if (row === undefined) return null;
      if (row.open && row.children > 0) return () => toggle(row.id);
      return go(rows.findLastIndex(({ level }, index) => index < active && level < row.level));
    case 'z':
      return row === undefined ? null : () => zoomTo(row.id);
    case '+':
      return () => view.zoom(0.5);
    case '-':
      return () => view.zoom(2);
    case '0':
      return view.reset;
    default:
      return null;
  }
}
