/**
 * The bar of the development: a small line at the bottom of HTML pages with the request's time, its queries and a link to its anatomy. It is in a
 * closed shadow root and fixed, so it never changes the page's layout or takes its styles. One click puts it away until somebody asks for it again.
 */
import type { TraceDocument } from '../../src/trace/document.ts';
import { duration, plural } from '../model/format.ts';
import { BAR_STYLE } from './style.ts';

const HIDDEN_KEY = 'viaduct.bar';
/** The trace is complete when the page has been sent; it may come a little later. */
const TRIES = 5;
const TRY_MS = 300;

const script = document.currentScript;
if (script instanceof HTMLScriptElement && window.top === window) {
  const { id = '', prefix = '' } = script.dataset;
  const start = (): void => showBar(id, prefix);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
}

function showBar(id: string, prefix: string): void {
  const host = document.createElement('viaduct-bar');
  const root = host.attachShadow({ mode: 'closed' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(BAR_STYLE);
  root.adoptedStyleSheets = [sheet];
  document.documentElement.append(host);

  const bar = element('div', 'bar');
  bar.setAttribute('role', 'complementary');
  bar.setAttribute('aria-label', 'Viaduct development bar');
  const link = element('a', 'link');
  link.setAttribute('href', `${prefix}/requests/${encodeURIComponent(id)}`);
  link.textContent = 'Viaduct';
  const facts = element('span', 'facts');
  const put = element('button', 'put');
  bar.append(link, facts, put);
  root.append(bar);

  let isHidden = isPutAway();
  const show = (): void => {
    bar.classList.toggle('hidden', isHidden);
    put.textContent = isHidden ? 'V' : '×';
    put.setAttribute('aria-label', isHidden ? 'Show the Viaduct bar' : 'Put the Viaduct bar away');
  };
  put.addEventListener('click', () => {
    isHidden = !isHidden;
    putAway(isHidden);
    show();
    if (!isHidden) load();
  });
  let isLoaded = false;
  const load = (): void => {
    if (isLoaded) return;
    isLoaded = true;
    void fill(facts, `${prefix}/api/requests/${encodeURIComponent(id)}`);
  };
  show();
  if (!isHidden) load();
}

/** A page may forbid scripts to ask its own server; then the bar has the link only. */
async function fill(facts: HTMLElement, url: string): Promise<void> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    const trace = await ask(url);
    if (trace !== null && trace.state !== 'running') {
      facts.replaceChildren(...factsOf(trace));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, TRY_MS));
  }
}

async function ask(url: string): Promise<TraceDocument | null> {
  try {
    const response = await fetch(url);
    return response.ok ? ((await response.json()) as TraceDocument) : null;
  } catch {
    return null;
  }
}

function factsOf({ durationUs, times, queries, response, exception }: TraceDocument): readonly HTMLElement[] {
  const facts = [fact(durationUs === null ? 'not complete' : duration(durationUs), 'strong')];
  if (response !== null && response.status >= 400) facts.push(fact(String(response.status), 'bad'));
  if (exception !== null) facts.push(fact(exception.type, 'bad'));
  facts.push(fact(`Python ${duration(times.pythonUs)}`, ''), fact(`Viaduct ${duration(times.ownUs)}`, ''));
  if (queries.count > 0) facts.push(fact(plural(queries.count, 'query', 'queries'), ''));
  if (queries.nPlusOne.length > 0) facts.push(fact('N+1', 'bad'));
  return facts;
}

function fact(text: string, name: string): HTMLElement {
  const made = element('span', name);
  made.textContent = text;
  return made;
}

function element(tag: string, name: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

function isPutAway(): boolean {
  try {
    return localStorage.getItem(HIDDEN_KEY) === 'hidden';
  } catch {
    return false;
  }
}

function putAway(isHidden: boolean): void {
  try {
    if (isHidden) localStorage.setItem(HIDDEN_KEY, 'hidden');
    else localStorage.removeItem(HIDDEN_KEY);
  } catch {
    // It holds for this page.
  }
}
