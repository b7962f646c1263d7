import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TraceDocument } from '../../src/trace/document.ts';
import type { TraceSummary } from '../../src/trace/store.ts';
import { ROOT } from '../support/viaduct.ts';
import { djangoTrace } from './fixtures/django.ts';
import { hostileTrace, killedTrace, proxiedTrace, staticTrace } from './fixtures/others.ts';
import { overviewAt } from './fixtures/overview.ts';
import { errorGroups, summaryAt, summaryOf } from './fixtures/summaries.ts';

export const PREFIX = '/__viaduct';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types viaduct";
const TICK_MS = 250;

export interface UiServer {
  readonly url: string;
  /** What was replayed: ids, and whether it was confirmed. */
  readonly replayed: { readonly id: string; readonly confirmed: boolean }[];
  /** How many new requests come each second. */
  rate: number;
  /** Whether too many pages have a stream of events already. */
  refusesStreams: boolean;
  /** Sends these to all pages that listen. */
  announce(summaries: readonly TraceSummary[]): void;
  close(): Promise<void>;
}

export const TRACES: ReadonlyMap<string, TraceDocument> = new Map(
  [
    djangoTrace({ id: 'slow', loop: 38 }),
    djangoTrace({ id: 'good', loop: 1 }),
    djangoTrace({ id: 'failed', loop: 12, failed: true }),
    proxiedTrace('proxied'),
    staticTrace('static'),
    killedTrace('killed'),
    hostileTrace('hostile', djangoTrace({ id: 'hostile', loop: 6, failed: true })),
  ].map((trace) => [trace.id, trace]),
);

/** The contract's API, with traces that were made up, below `PREFIX`. `kept` is how many requests the list has. */
export async function startUiServer({ kept = 300 } = {}): Promise<UiServer> {
  const streams = new Set<ServerResponse>();
  const replayed: { id: string; confirmed: boolean }[] = [];
  const nowMs = Date.now();
  const named = [...TRACES.values()].map((trace, index) => summaryOf(trace, kept + index + 1));
  let list = [...named.reverse(), ...Array.from({ length: kept }, (_, index) => summaryAt(kept - index, nowMs))];
  let turn = 0;
  const send = (name: string, data: unknown): void => {
    for (const stream of streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const announce = (summaries: readonly TraceSummary[]): void => {
    list = [...summaries].reverse().concat(list).slice(0, 10_000);
    send('requests', summaries);
  };
  const timer = setInterval(() => {
    turn += 1;
    if (turn % 4 === 0) send('overview', overviewAt(turn / 4, Date.now()));
    const first = (list[0]?.number ?? 0) + 1;
    const count = Math.round((handle.rate * TICK_MS) / 1000);
    if (count > 0) announce(Array.from({ length: count }, (_, index) => summaryAt(first + index, Date.now())));
  }, TICK_MS);

  const answer = (request: IncomingMessage, response: ServerResponse): unknown => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!pathname.startsWith(PREFIX)) return sendText(response, 404, 'text/plain', 'not found');
    const path = pathname.slice(PREFIX.length);
    const [, id = '', action = ''] = /^\/api\/requests\/([^/]+)(?:\/([\w-]+))?$/.exec(path) ?? [];
    if (path.startsWith('/assets/')) return sendAsset(response, path.slice('/assets/'.length));
    if (path === '/api/events' && handle.refusesStreams) return sendText(response, 503, 'application/json', '{}');
    if (path === '/api/events')
      return openStream(response, streams, () => send('overview', overviewAt(turn, Date.now())));
    if (path === '/api/overview') return sendJson(response, overviewAt(1, Date.now()));
    if (path === '/api/live') return sendJson(response, LIVE);
    if (path === '/api/errors') return sendJson(response, errorGroups([...TRACES.values()], Date.now()));
    if (path === '/api/requests')
      return sendJson(response, { requests: filtered(list, searchParams), usage: overviewAt(1, nowMs).trace });
    if (id !== '' && action === 'replay') {
      return readBody(request).then((body) => {
        replayed.push({ id, confirmed: body.includes('"confirm":true') });
        sendJson(response, { id: 'good', status: 200 });
      });
    }
    if (id !== '') return sendTrace(response, action === 'last-good' ? 'good' : id, action);
    return sendText(response, 200, 'text/html; charset=utf-8', page());
  };

  const server: Server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const handle: UiServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}`,
    replayed,
    rate: 0,
    refusesStreams: false,
    announce,
    async close() {
      clearInterval(timer);
      for (const stream of streams) stream.end();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return handle;
}

/** The page as a server sends it: with its prefix. */
export function page(): string {
  return asset('index.html')
    .replace('name="viaduct-prefix" content=""', `name="viaduct-prefix" content="${PREFIX}"`)
    .replaceAll('"assets/', `"${PREFIX}/assets/`);
}

export const asset = (name: string): string => readFileSync(join(ROOT, 'dist/ui', name), 'utf8');

const LIVE = [
  {
    method: 'GET',
    host: 'bridges.example',
    path: '/reports/2025.pdf',
    client: '127.0.0.1',
    age_ms: 4210,
    where: 'worker',
    worker: 3,
    backend: null,
  },
  {
    method: 'GET',
    host: 'bridges.example',
    path: '/bridges/',
    client: '127.0.0.1',
    age_ms: 84,
    where: 'worker',
    worker: 2,
    backend: null,
  },
  {
    method: 'POST',
    host: 'api.bridges.example',
    path: '/api/orders',
    client: '127.0.0.1',
    age_ms: 12,
    where: 'backend',
    worker: null,
    backend: 'http://127.0.0.1:9001',
  },
];

function filtered(list: readonly TraceSummary[], query: URLSearchParams): readonly TraceSummary[] {
  const path = query.get('path') ?? '';
  const status = query.get('status') ?? '';
  const sql = query.get('sql') ?? '';
  const after = Number(query.get('after') ?? 0);
  return list
    .filter((each) => each.target.includes(path) && each.number > after)
    .filter((each) => status === '' || String(each.status).startsWith(status.replace(/x+$/i, '')))
    .filter((each) => (query.get('method') ?? each.method) === each.method)
    .filter((each) => (each.durationUs ?? 0) >= Number(query.get('min_ms') ?? 0) * 1000)
    .filter(
      ({ id }) =>
        sql === '' ||
        (TRACES.get(id)?.spans ?? []).some(({ attributes }) =>
          String(attributes.sql ?? '')
            .toLowerCase()
            .includes(sql.toLowerCase()),
        ),
    )
    .slice(0, Number(query.get('limit') ?? 100));
}

function sendTrace(response: ServerResponse, id: string, action: string): ServerResponse {
  const trace = TRACES.get(id);
  if (trace === undefined)
    return sendText(
      response,
      404,
      'application/json',
      JSON.stringify({ error: `No trace with the id ${id} is kept.` }),
    );
  if (action === 'har') return sendText(response, 200, 'application/json', '{"log":{"version":"1.2"}}', 'attachment');
  if (action === 'export')
    return sendText(response, 200, 'text/html; charset=utf-8', exportedPage(trace), 'attachment');
  return sendJson(response, trace);
}

/** One file with everything in it. */
export function exportedPage(trace: TraceDocument): string {
  const json = JSON.stringify(trace).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Trace</title><style>${asset('app.css')}</style></head><body><div id="app"></div><script type="application/json" id="viaduct-trace">${json}</script><script>${asset('app.js')}</script></body></html>`;
}

function sendAsset(response: ServerResponse, name: string): ServerResponse {
  const type = name.endsWith('.css') ? 'text/css' : 'text/javascript';
  return sendText(response, 200, `${type}; charset=utf-8`, asset(name));
}

function openStream(response: ServerResponse, streams: Set<ServerResponse>, first: () => void): ServerResponse {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  streams.add(response);
  response.on('close', () => streams.delete(response));
  first();
  return response;
}

const sendJson = (response: ServerResponse, data: unknown): ServerResponse =>
  sendText(response, 200, 'application/json', JSON.stringify(data));

function sendText(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  disposition = 'inline',
): ServerResponse {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    'Content-Disposition': disposition,
  });
  return response.end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const blocks: Buffer[] = [];
  for await (const block of request) blocks.push(block as Buffer);
  return Buffer.concat(blocks).toString();
}
