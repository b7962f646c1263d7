import type { Overview, OverviewBackend, OverviewWorker } from '../../src/trace/overview.ts';
import type { LiveRequest } from '../data/api.ts';
import { bytes, count, milliseconds, plural } from '../model/format.ts';
import { Scroll } from '../parts/scroll.tsx';

/** A request that runs for longer than this is marked. */
const LONG_MS = 1000;
const SHOWN = 12;

export function Workers({ workers }: { readonly workers: readonly OverviewWorker[] }) {
  return (
    <section class="card" aria-labelledby="workers-title">
      <h2 id="workers-title">Workers</h2>
      <Scroll>
        <table class="table workers">
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col">State</th>
              <th scope="col">Runs</th>
              <th scope="col" class="number">
                For
              </th>
              <th scope="col" class="number">
                Done
              </th>
              <th scope="col" class="number">
                Memory
              </th>
              <th scope="col" class="number">
                GIL wait
              </th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <WorkerRow key={worker.pid} worker={worker} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function WorkerRow({ worker }: { readonly worker: OverviewWorker }) {
  const { number, pid, application, state, request, ageMs, done, rssBytes, gilWaitMs } = worker;
  return (
    <tr>
      <th scope="row">
        {number}{' '}
        <span class="muted">
          {application}, pid {pid}
        </span>
      </th>
      <td>
        <span class={`state state-${request === null ? state : 'busy'}`}>
          {request === null ? (state === 'ready' ? 'idle' : state) : 'busy'}
        </span>
      </td>
      <td class="mono clip">{request ?? ''}</td>
      <td class={`number ${(ageMs ?? 0) > LONG_MS ? 'worse' : ''}`}>{ageMs === null ? '' : milliseconds(ageMs)}</td>
      <td class="number">{count(done)}</td>
      <td class="number">{rssBytes === null ? '–' : bytes(rssBytes)}</td>
      <td class="number">{gilWaitMs === null ? '–' : milliseconds(gilWaitMs)}</td>
    </tr>
  );
}

export function LiveRequests({ requests }: { readonly requests: readonly LiveRequest[] }) {
  return (
    <section class="card" aria-labelledby="live-title">
      <h2 id="live-title">
        Now <span class="count">{requests.length}</span>
      </h2>
      {requests.length === 0 && <p class="muted">No request is open.</p>}
      <ul class="rows">
        {requests.slice(0, SHOWN).map(({ method, path, where, worker, backend, age_ms: ageMs }, index) => (
          <li key={index}>
            <span class="mono clip">
              {method} {path}
            </span>
            <span class="muted">
              {where}
              {worker !== null && ` ${worker}`}
              {backend !== null && ` ${backend}`}
            </span>
            <span class={`number ${(ageMs ?? 0) > LONG_MS ? 'worse' : ''}`}>
              {ageMs === null ? '' : milliseconds(ageMs)}
            </span>
          </li>
        ))}
      </ul>
      {requests.length > SHOWN && <p class="muted">{plural(requests.length - SHOWN, 'more request')}, all younger.</p>}
    </section>
  );
}

export function Backends({ backends }: { readonly backends: readonly OverviewBackend[] }) {
  return (
    <section class="card" aria-labelledby="backends-title">
      <h2 id="backends-title">Backends</h2>
      <Scroll>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Backend</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Active
              </th>
              <th scope="col" class="number">
                Requests
              </th>
              <th scope="col" class="number">
                Failed
              </th>
            </tr>
          </thead>
          <tbody>
            {backends.map(({ name, state, active, requests, failures }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td>
                  <span class={`state state-${state}`}>{state}</span>
                </td>
                <td class="number">{active}</td>
                <td class="number">{count(requests)}</td>
                <td class={`number ${failures > requests / 1000 ? 'worse' : ''}`}>{count(failures)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

export function CacheAndCertificates({ cache, certificates }: Pick<Overview, 'cache' | 'certificates'>) {
  return (
    <section class="card" aria-labelledby="cache-title">
      <h2 id="cache-title">Cache and certificates</h2>
      <p class={cache === null ? 'muted' : ''}>
        {cache === null ? 'No static file is in memory.' : `Static files in memory: ${bytes(cache.bytes)}.`}
      </p>
      {certificates.length === 0 && <p class="muted">No listener has a certificate.</p>}
      <ul class="rows">
        {certificates.map(({ names, validTo }) => (
          <li key={names.join()}>
            <span class="mono clip">{names.join(', ')}</span>
            <Validity validTo={validTo} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Validity({ validTo }: { readonly validTo: string | null }) {
  if (validTo === null) return <span class="muted">its end is not known</span>;
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
  return (
    <span class={days < SOON_DAYS ? 'worse' : 'muted'}>
      {days < 0 ? 'has expired' : `valid for ${plural(days, 'day')}`}
    </span>
  );
}
