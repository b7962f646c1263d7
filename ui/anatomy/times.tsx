import type { TraceDocument } from '../../src/trace/document.ts';
import { duration, percent } from '../model/format.ts';
import { partsOf } from '../model/kinds.ts';
import { pythonParts } from '../model/self-time.ts';
import { TimeBar } from '../parts/time-bar.tsx';

/** Where the time went: one bar, its numbers, and the part that is ours; then what Python did with its time. */
export function Times({ document }: { readonly document: TraceDocument }) {
  const { times, clockErrorUs } = document;
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
      <Python document={document} />
      <p class="muted small-print">
        {own !== undefined && `${percent(own.share)} of the time is Viaduct's own. `}
        The clocks of Node and Python differ by at most {duration(clockErrorUs)}.
      </p>
    </section>
  );
}

function Python({ document }: { readonly document: TraceDocument }) {
  const parts = pythonParts(document);
  const total = parts.reduce((sum, { us }) => sum + us, 0);
  if (parts.length < 2) return null;
  return (
    <>
      <h3>Within Python</h3>
      <div class="time-bar thin" aria-hidden="true">
        {parts.map(({ tone, us }) => (
          <span key={tone} class={`own-${tone}`} style={{ flexGrow: us / total }} />
        ))}
      </div>
      <dl class="legend small">
        {parts.map(({ tone, label, us }) => (
          <div key={tone}>
            <dt>
              <i class={`dot own-${tone}`} />
              {label}
            </dt>
            <dd>
              <b>{duration(us)}</b> <span class="muted">{percent(us / total)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
