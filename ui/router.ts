import { useEffect, useState } from 'preact/hooks';
import { FAILED_ID, PREFIX } from './data/context.ts';

/** A page, and what its path says. */
export type Page =
  | { readonly name: 'dashboard' | 'requests' | 'errors' }
  | { readonly name: 'anatomy'; readonly id: string }
  | { readonly name: 'compare'; readonly left: string; readonly right: string }
  | { readonly name: 'unknown'; readonly path: string };

export function pageOf(path: string): Page {
  const [first = '', id, other, ...more] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  if (first === '') return { name: 'dashboard' };
  if (first === 'requests' && other === undefined)
    return id === undefined ? { name: 'requests' } : { name: 'anatomy', id };
  if (first === 'errors' && id === undefined) return { name: 'errors' };
  if (first === 'compare' && id !== undefined && other !== undefined && more.length === 0)
    return { name: 'compare', left: id, right: other };
  return { name: 'unknown', path };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const anatomyPath = (id: string): string => `/requests/${encodeURIComponent(id)}`;
export const comparePath = (left: string, right: string): string =>
  `/compare/${encodeURIComponent(left)}/${encodeURIComponent(right)}`;
export const urlOf = (path: string): string => `${PREFIX}${path}`;

/** Goes to a page, as a link does. From a page of the site, it is another document. */
export function navigate(path: string): void {
  if (FAILED_ID !== '') {
    location.assign(urlOf(path));
    return;
  }
  history.pushState(null, '', urlOf(path));
  window.dispatchEvent(new PopStateEvent('popstate'));
  window.scrollTo(0, 0);
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** The path of the page that is shown. */
export function usePath(): string {
  const [path, setPath] = useState(currentPath);
  useEffect(() => {
    const update = (): void => setPath(currentPath());
    window.addEventListener('popstate', update);
    return () => window.removeEventListener('popstate', update);
  }, []);
  return path;
}

function currentPath(): string {
  const { pathname } = location;
  return pathname.startsWith(PREFIX) ? pathname.slice(PREFIX.length) || '/' : pathname;
}
