import type { ComponentChildren } from 'preact';
import { FAILED_ID } from '../data/context.ts';
import { navigate, urlOf } from '../router.ts';

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

/** A link to another of these pages. With a modifier key it is the browser's own. */
export function Link({ to, class: className, current = false, children }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (FAILED_ID !== '') return; // another document
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={urlOf(to)} class={className} aria-current={current ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  );
}
