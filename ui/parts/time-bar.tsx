import type { Part } from '../model/kinds.ts';

/** The parts of a time as one bar. Its numbers are beside it, so it is a picture only. */
export function TimeBar({ parts }: { readonly parts: readonly Part[] }) {
  return (
    <div class="time-bar" aria-hidden="true">
      {parts
        .filter(({ us }) => us > 0)
        .map(({ owner, share }) => (
          <span key={owner} class={`own-${owner}`} style={{ flexGrow: share }} />
        ))}
    </div>
  );
}
