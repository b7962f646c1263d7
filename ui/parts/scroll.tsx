import type { ComponentChildren } from 'preact';

/** Something that may be wider than its place, such as a table on a phone. The keyboard can scroll it. */
export function Scroll({
  class: className = '',
  children,
}: {
  readonly class?: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it
    <div class={`scroll ${className}`} tabIndex={0}>
      {children}
    </div>
  );
}
