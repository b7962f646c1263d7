import type { ComponentChildren } from 'preact';

interface EmptyProps {
  readonly title: string;
  /** Whether nothing else is on the page. */
  readonly isPage?: boolean;
  readonly children?: ComponentChildren;
}

/** Says why there is nothing to show, and what would change that. */
export function Empty({ title, isPage = false, children }: EmptyProps) {
  return (
    <div class="empty">
      <svg viewBox="0 0 64 28" aria-hidden="true">
        <path d="M2 6h60M2 26V12a8 8 0 0 1 16 0v14M24 26V12a8 8 0 0 1 16 0v14M46 26V12a8 8 0 0 1 16 0v14" />
      </svg>
      {isPage ? <h1>{title}</h1> : <p class="empty-title">{title}</p>}
      <p>{children}</p>
    </div>
  );
}

/** An error of the page itself. */
export function Problem({ message, retry }: { readonly message: string; readonly retry?: () => void }) {
  return (
    <div class="notice tone-bad" role="alert">
      <p>{message}</p>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading …
    </p>
  );
}
