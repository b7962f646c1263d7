import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { bytes, count, plural } from '../model/format.ts';
import { parseSearch } from '../model/request-filter.ts';
import { Empty, Problem } from '../parts/notices.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { anatomyPath, navigate } from '../router.ts';
import { RequestRow, ROW_HEIGHT } from './request-row.tsx';
import { type Requests, useRequests } from './use-requests.ts';

const COLUMNS = [
  ['Status', ''],
  ['Method', ''],
  ['Path', ''],
  ['Route', 'wide'],
  ['Time', ''],
  ['Queries', 'number wide'],
  ['At', 'number wide'],
] as const;

/** The time that fills a bar: half of the lines take less than a third of it. */
const FULL_US_MIN = 10_000;

/** The kept requests, as they come. */
export function RequestsPage() {
  const [search, setSearch] = useState(() => new URLSearchParams(location.search).get('q') ?? '');
  const [paused, setPaused] = useState(false);
  const query = useMemo(() => parseSearch(search), [search]);
  const requests = useRequests(query, paused);
  const field = useRef<HTMLInputElement>(null);
  const change = (text: string): void => {
    setSearch(text);
    history.replaceState(null, '', text === '' ? location.pathname : `?q=${encodeURIComponent(text)}`);
  };
  return (
    <div class="page requests-page">
      <header class="page-head">
        <h1>Requests</h1>
        <p class="muted" role="status">
          {summaryOf(requests)}
        </p>
      </header>
      <div class="toolbar">
        <label class="search">
          <span class="hidden">Search requests</span>
          <input
            ref={field}
            type="search"
            value={search}
            placeholder="/path  POST  -/static/  5xx  min:200ms  route:name  sql:text  error:text"
            spellcheck={false}
            autocomplete="off"
            onInput={({ currentTarget }) => change(currentTarget.value)}
          />
        </label>
        <Chips search={search} onChange={change} />
        <span class="grow" />
        <button type="button" class="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? `Continue${requests.waiting > 0 ? ` (${count(requests.waiting)} new)` : ''}` : 'Pause'}
        </button>
      </div>
      {requests.problem !== '' && <Problem message={requests.problem} />}
      <List requests={requests} isSearch={search !== ''} field={field} onPause={() => setPaused(!paused)} />
      <p class="keys muted">
        <kbd>j</kbd> <kbd>k</kbd> choose, <kbd>Enter</kbd> opens, <kbd>/</kbd> searches, <kbd>p</kbd> pauses
      </p>
    </div>
  );
}

function summaryOf({ list, usage, loading }: Requests): string {
  if (usage === null) return loading ? 'Loading …' : '';
  const memory = `${bytes(usage.bytes)} of ${bytes(usage.bytesMax)}`;
  const dropped = usage.evicted > 0 ? `, ${count(usage.evicted)} dropped for newer ones` : '';
  return `${plural(list.length, 'request')} shown; the memory for traces has ${memory}${dropped}`;
}

const CHIPS = [
  ['Failed', '5xx'],
  ['Not found', '404'],
  ['Slow', 'min:500ms'],
  ['Writes', 'POST'],
  ['Without /static/', '-/static/'],
] as const;

function Chips({ search, onChange }: { readonly search: string; readonly onChange: (text: string) => void }) {
  const words = search.split(/\s+/).filter((word) => word !== '');
  return (
    <span class="chips">
      {CHIPS.map(([title, word]) => (
        <button
          type="button"
          key={word}
          class="chip"
          aria-pressed={words.includes(word)}
          onClick={() =>
            onChange((words.includes(word) ? words.filter((each) => each !== word) : [...words, word]).join(' '))
          }
        >
          {title}
        </button>
      ))}
    </span>
  );
}

interface ListProps {
  readonly requests: Requests;
  readonly isSearch: boolean;
  readonly field: { readonly current: HTMLInputElement | null };
  readonly onPause: () => void;
}

function List({ requests: { list, added, loading, problem }, isSearch, field, onPause }: ListProps) {
  const [chosen, choose] = useState<string | null>(null);
  const active = chosen === null ? -1 : list.findIndex(({ id }) => id === chosen);
  const open = (id: string): void => navigate(anatomyPath(id));
  const hasRoutes = useMemo(() => list.some(({ route }) => route !== ''), [list]);
  const fullUs = useMemo(() => Math.max(FULL_US_MIN, 3 * medianOf(list.slice(0, 200))), [list]);

  // Before the next key: an effect after the paint would let a quick one act on the line before.
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const at = list.findIndex(({ id }) => id === chosen);
      if (event.key === 'j' || event.key === 'ArrowDown') choose(list[Math.min(at + 1, list.length - 1)]?.id ?? null);
      else if (event.key === 'k' || event.key === 'ArrowUp') choose(list[Math.max(at - 1, 0)]?.id ?? null);
      else if (event.key === 'Enter' && chosen !== null && !isControl(event.target)) open(chosen);
      else if (event.key === '/') field.current?.focus();
      else if (event.key === 'p') onPause();
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });

  if (list.length === 0 && !loading && problem === '')
    return isSearch ? (
      <Empty title="No kept request matches">Take a word out of the search. New requests that match appear here.</Empty>
    ) : (
      <Empty title="No request was kept yet">
        In development every request is kept. Otherwise: set [trace] in viaduct.toml, or run viaduct trace URL.
      </Empty>
    );
  return (
    <div class={`card list-card ${hasRoutes ? '' : 'without-routes'}`}>
      <div class="request-row head" aria-hidden="true">
        {COLUMNS.filter(([title]) => hasRoutes || title !== 'Route').map(([title, className]) => (
          <span key={title} class={className}>
            {title}
          </span>
        ))}
      </div>
      <VirtualList
        count={list.length}
        rowHeight={ROW_HEIGHT}
        active={active}
        addedAtTop={added}
        attributes={{
          class: 'virtual requests',
          role: 'grid',
          tabIndex: 0,
          'aria-label': 'Requests, the newest first',
          'aria-rowcount': list.length,
          'aria-busy': loading,
          ...(active >= 0 ? { 'aria-activedescendant': `request-${active}` } : {}),
        }}
        row={(index) => {
          const summary = list[index];
          return (
            summary && (
              <RequestRow
                key={summary.id}
                summary={summary}
                index={index}
                active={index === active}
                fullUs={fullUs}
                hasRoutes={hasRoutes}
                onOpen={open}
              />
            )
          );
        }}
      />
    </div>
  );
}

const medianOf = (list: Requests['list']): number =>
  list.map(({ durationUs }) => durationUs ?? 0).sort((a, b) => a - b)[list.length >> 1] ?? 0;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;

const isControl = (target: EventTarget | null): boolean =>
  target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement;
