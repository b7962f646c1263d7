import type { LatencyHistogram } from '../../src/trace/overview.ts';
import { milliseconds, plural } from '../model/format.ts';
import { histogramBars } from '../model/series.ts';

/** How long the requests of the last minute took. */
export function Histogram({ latency }: { readonly latency: LatencyHistogram }) {
  const bars = histogramBars(latency);
  const total = latency.counts.reduce((sum, count) => sum + count, 0);
  return (
    <section class="card chart" aria-label="Latency">
      <div class="chart-head">
        <h2>Latency</h2>
        <span>
          median <b>{milliseconds(latency.p50Ms)}</b>
        </span>
        <span>
          p99 <b>{milliseconds(latency.p99Ms)}</b>
        </span>
      </div>
      {total === 0 ? (
        <p class="muted">No request in the last minute.</p>
      ) : (
        <ol class="histogram">
          {bars.map(({ label, count, height, isSlow }) => (
            <li key={label} title={`${label}: ${plural(count, 'request')}`}>
              <i class={isSlow ? 'slow' : ''} style={{ height: `${height * 100}%` }} />
              <span class="hidden">{plural(count, 'request')} up to</span>
              <span class="histogram-label">{label}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
