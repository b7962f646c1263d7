import type { TraceDocument } from '../../src/trace/document.ts';
import { duration, percent } from '../model/format.ts';
import { partsOf } from '../model/kinds.ts';
import { TimeBar } from '../parts/time-bar.tsx';

/** Where the time went: one bar, its numbers, and the part that is ours. */
export function Times({ document: { times, clockErrorUs } }: { readonly document: TraceDocument }) {
  const parts = partsOf(times);
  const own = parts.find(({ owner }) => owner === 'own');
  return (
    <section class="card times" aria-labelledby="times-title">
      <h2 id="times-title">Where the time went</h2>
      <TimeBar parts={parts} />
      <dl class="legend">
        {parts
          .filter(({ us, owner }) => us > 0 || owner === 'own' || owner === 'python')
          .map(({ owner, label, us, share, help }) => (
            <div key={owner} title={help}>
              <dt>
                <i class={`dot own-${owner}`} />
                {label}
              </dt>
              <dd>
                <b>{duration(us)}</b> <span class="muted">{percent(share)}</span>
              </dd>
            </div>
          ))}
      </dl>
      <p class="muted">
        {own !== undefined && `${percent(own.share)} of the time is Viaduct's own. `}
        The clocks of Node and Python differ by at most {duration(clockErrorUs)}.
      </p>
    </section>
  );
}
