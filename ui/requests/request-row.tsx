// biome-ignore-all lint/a11y/useSemanticElements: a table cannot have only the lines that are seen
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its active line
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the page handles the keys of all lines
import type { TraceSummary } from '../../src/trace/store.ts';
import { clock, duration } from '../model/format.ts';
import { Method, Status } from '../parts/badges.tsx';
import { anatomyPath, urlOf } from '../router.ts';

export const ROW_HEIGHT = 36;

interface RequestRowProps {
  readonly summary: TraceSummary;
  readonly index: number;
  readonly active: boolean;
  /** The time that fills the bar, in microseconds. */
  readonly fullUs: number;
  /** Whether the list has a column for routes: a site without routes does not need it. */
  readonly hasRoutes: boolean;
  readonly onOpen: (id: string) => void;
}

/** One line of the list. */
export function RequestRow({ summary, index, active, fullUs, hasRoutes, onOpen }: RequestRowProps) {
  const { id, method, target, status, route, durationUs, queries, startedAt, error, state } = summary;
  return (
    <div
      role="row"
      id={`request-${index}`}
      class="request-row"
      aria-rowindex={index + 2}
      aria-selected={active}
      onClick={() => onOpen(id)}
    >
      <span role="gridcell">
        <Status status={status} />
      </span>
      <span role="gridcell">
        <Method method={method} />
      </span>
      <span role="gridcell" class="target" title={target}>
        <a href={urlOf(anatomyPath(id))} tabIndex={-1} onClick={openHere}>
          {target}
        </a>
        {error !== '' && <em class="row-error">{error}</em>}
      </span>
      {hasRoutes && (
        <span role="gridcell" class="wide muted clip">
          {route}
        </span>
      )}
      <span role="gridcell" class="row-time">
        <SmallBar summary={summary} fullUs={fullUs} />
        <span class="number">{durationUs === null ? state : duration(durationUs)}</span>
      </span>
      <span role="gridcell" class={`number wide ${queries >= 20 ? 'many' : ''}`}>
        {queries === 0 ? '' : queries}
      </span>
      <span role="gridcell" class="number wide muted">
        {clock(startedAt)}
      </span>
    </div>
  );
}

/** The line itself opens it; with a modifier key the browser does, in a tab of its own. */
function openHere(event: MouseEvent): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey) event.stopPropagation();
  else event.preventDefault();
}

/** The time in three parts: queue, Python and the rest. */
function SmallBar({ summary, fullUs }: { readonly summary: TraceSummary; readonly fullUs: number }) {
  const { durationUs, queueUs, pythonUs } = summary;
  const total = durationUs ?? 0;
  const width = Math.min(1, total / fullUs);
  const part = (us: number): string => `${total === 0 ? 0 : Math.min(100, (us / total) * 100)}%`;
  return (
    <span class="small-bar" aria-hidden="true">
      <span class="small-bar-full own-own" style={{ width: `${width * 100}%` }}>
        <span class="own-queue" style={{ width: part(Math.max(0, queueUs)) }} />
        <span class="own-python" style={{ width: part(Math.max(0, pythonUs)) }} />
      </span>
    </span>
  );
}
