import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { FAILED_ID, IS_EXPORT } from './data/context.ts';
import { type StreamState, subscribe } from './data/events.ts';
import { setTheme, THEMES, theme } from './data/theme.ts';
import { Link } from './parts/link.tsx';

const SECTIONS = [
  ['/', 'Dashboard'],
  ['/requests', 'Requests'],
  ['/errors', 'Errors'],
] as const;

/** What is around every page: where one is, where one can go, whether data comes in. */
export function Frame({ path, children }: { readonly path: string; readonly children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <Logo />
        {!IS_EXPORT && (
          <nav aria-label="Pages">
            {SECTIONS.map(([to, title]) => (
              <Link key={to} to={to} current={to === '/' ? path === '/' : path.startsWith(to)}>
                {title}
              </Link>
            ))}
          </nav>
        )}
        <span class="grow" />
        {!IS_EXPORT && FAILED_ID === '' && <Stream />}
        <ThemeSwitch />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function Logo() {
  const picture = (
    <>
      <svg class="logo" viewBox="0 0 40 24" aria-hidden="true">
        <path d="M1 4h38M3 22V13a5.5 5.5 0 0 1 11 0v9M14.5 22V13a5.5 5.5 0 0 1 11 0v9M26 22V13a5.5 5.5 0 0 1 11 0v9" />
      </svg>
      <span>Viaduct</span>
    </>
  );
  return IS_EXPORT ? (
    <span class="brand">{picture}</span>
  ) : (
    <Link to="/" class="brand">
      {picture}
    </Link>
  );
}

const STREAM: Readonly<Record<StreamState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Reconnecting',
  refused: 'Not live: close other pages of Viaduct',
};

function Stream() {
  const [state, setState] = useState<StreamState>('connecting');
  useEffect(() => subscribe({ onState: setState }), []);
  return (
    <span class={`stream ${state}`} role="status">
      {STREAM[state]}
    </span>
  );
}

function ThemeSwitch() {
  const [chosen, choose] = useState(theme());
  return (
    <label class="theme">
      <span class="hidden">Colours</span>
      <select
        value={chosen}
        onChange={({ currentTarget }) => {
          const to = THEMES.find((each) => each === currentTarget.value) ?? 'system';
          setTheme(to);
          choose(to);
        }}
      >
        {THEMES.map((each) => (
          <option key={each} value={each}>
            {each === 'system' ? 'System' : each === 'light' ? 'Light' : 'Dark'}
          </option>
        ))}
      </select>
    </label>
  );
}
