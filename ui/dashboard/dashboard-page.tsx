import type { Overview } from '../../src/trace/overview.ts';
import { age, bytes, count, milliseconds, percent, rate } from '../model/format.ts';
import { Empty, Loading, Problem } from '../parts/notices.tsx';
import { Chart } from './chart.tsx';
import { Histogram } from './histogram.tsx';
import { RecentErrors } from './recent-errors.tsx';
import { Backends, CacheAndCertificates, LiveRequests, Workers } from './tables.tsx';
import { useOverview } from './use-overview.ts';

/** The server now: what it does, how fast, and what is in the way. */
export function DashboardPage() {
  const { overview, series, live, problem } = useOverview();
  if (overview === null) return problem === '' ? <Loading /> : <Problem message={problem} />;
  const { server, backends, workers } = overview;
  return (
    <div class="page">
      <header class="page-head">
        <h1>Dashboard</h1>
        <p class="muted">
          Viaduct {server.version}, up {age(Date.parse(overview.at) - Date.parse(server.startedAt))}, at{' '}
          {server.urls.join(', ')}
        </p>
      </header>
      {!overview.counted && (
        <p class="notice tone-info">Requests are not counted, so rates and times are missing: set admin or otlp_url.</p>
      )}
      <Tiles overview={overview} live={live.length} />
      <div class="charts">
        <Chart
          title="Throughput"
          seconds={series.seconds}
          format={(value) => `${rate(value)}/s`}
          lines={[
            { label: 'requests', values: series.requests, colour: '--python' },
            { label: 'errors', values: series.errors, colour: '--bad' },
          ]}
        />
        <Chart
          title="Waiting"
          seconds={series.seconds}
          format={milliseconds}
          lines={[
            { label: 'queue p99', values: series.queueMs, colour: '--queue' },
            { label: 'event loop', values: series.loopMs, colour: '--own' },
          ]}
        />
        <Histogram latency={overview.latency} />
      </div>
      {workers.length === 0 ? (
        <Empty title="No worker runs">This server has no Python application, or it has not started yet.</Empty>
      ) : (
        <Workers workers={workers} />
      )}
      <div class="two">
        <LiveRequests requests={live} />
        <RecentErrors />
        {backends.length > 0 && <Backends backends={backends} />}
        <CacheAndCertificates cache={overview.cache} certificates={overview.certificates} />
      </div>
    </div>
  );
}

function Tiles({ overview, live }: { readonly overview: Overview; readonly live: number }) {
  const { rates, latency, queue, eventLoop, workers, trace, ownShare, server } = overview;
  const busy = workers.filter(({ request }) => request !== null).length;
  return (
    <dl class="tiles">
      <Tile
        name="Requests"
        value={`${rate(rates.requests)}/s`}
        note={`${live} open, ${count(server.connections)} connections`}
      />
      <Tile
        name="Errors"
        value={`${rate(rates.errors)}/s`}
        note={rates.requests === 0 ? 'no request' : `${percent(rates.errors / rates.requests)} of requests`}
        tone={rates.errors > 0 ? 'bad' : ''}
      />
      <Tile name="Median" value={milliseconds(latency.p50Ms)} note={`p99 ${milliseconds(latency.p99Ms)}`} />
      <Tile
        name="Queue"
        value={count(queue.waiting)}
        note={`wait, p99: ${milliseconds(queue.p99Ms)}`}
        tone={queue.waiting > workers.length ? 'warn' : ''}
      />
      <Tile name="Workers" value={`${busy} of ${workers.length}`} note="run a request" />
      <Tile
        name="Event loop"
        value={milliseconds(eventLoop.meanMs)}
        note={`at most ${milliseconds(eventLoop.maxMs)} late`}
      />
      <Tile name="Viaduct's part" value={ownShare === null ? '–' : percent(ownShare)} note="of all time" />
      <Tile name="Traces" value={count(trace.traces)} note={`${bytes(trace.bytes)} of ${bytes(trace.bytesMax)}`} />
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone?: 'bad' | 'warn' | '';
}

function Tile({ name, value, note, tone = '' }: TileProps) {
  return (
    <div class={`tile ${tone === '' ? '' : `tone-${tone}`}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
      <dd class="tile-note">{note}</dd>
    </div>
  );
}
