import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { HttpMetrics } from '../../src/metrics/http-metrics.ts';
import { metricsText } from '../../src/metrics/text.ts';
import { requestOf } from '../support/handler.ts';

interface Answered {
  readonly request?: Parameters<typeof requestOf>[0];
  readonly record?: Partial<Request['record']>;
  readonly status?: number;
  readonly bodyBytes?: number;
}

/** The lines with values after these requests, without those of buckets and with 0. */
function linesAfter(...answered: readonly Answered[]): string[] {
  const metrics = new HttpMetrics();
  for (const { request = {}, record = {}, status = 200, bodyBytes = 0 } of answered)
    metrics.onAnswered(
      requestOf({ ...request, record: { ...newRecord(), ...record } }),
      status,
      bodyBytes,
      performance.now(),
    );
  return metricsText(metrics.families(), 'prometheus')
    .split('\n')
    .filter((line) => line !== '' && !/^#|_bucket|_sum| 0$/.test(line));
}

const DURATION = 'http_server_request_duration_seconds_count';

describe('the metrics of requests', () => {
  it('distinguish requests by route, method and class of the status', () => {
    const lines = linesAfter(
      { record: { route: 'shop' } },
      { record: { route: 'shop' }, status: 204 },
      { record: { route: 'shop' }, status: 404 },
      { record: { route: 'blog' }, request: { method: 'POST' }, status: 503 },
      { request: { method: 'PROPFIND' } },
      { request: { method: 'get' }, status: 499 },
    );
    assert.deepEqual(
      lines.filter((line) => line.startsWith(DURATION)),
      [
        `${DURATION}{http_route="shop",http_request_method="GET",http_response_status_class="2xx"} 2`,
        `${DURATION}{http_route="shop",http_request_method="GET",http_response_status_class="4xx"} 1`,
        `${DURATION}{http_route="blog",http_request_method="POST",http_response_status_class="5xx"} 1`,
        `${DURATION}{http_request_method="_OTHER",http_response_status_class="2xx"} 1`,
        `${DURATION}{http_request_method="_OTHER",http_response_status_class="4xx"} 1`,
      ],
    );
  });

  it('have the bytes of content, the version and the reason of a failure', () => {
    const body = { length: 7 } as Request['body'];
    const lines = linesAfter(
      { request: { body, protocol: 'HTTP/2.0' }, bodyBytes: 100, record: { route: 'shop' } },
      { request: { body: { length: -1 } as Request['body'] }, bodyBytes: 5 },
      { request: { protocol: 'HTTP/1.0' }, status: 503, record: { reason: 'queue full' } },
      { record: { reason: 'maintenance' } },
    );
    for (const line of [
      'viaduct_request_content_bytes_total{http_route="shop"} 7',
      'viaduct_response_content_bytes_total{http_route="shop"} 100',
      'viaduct_response_content_bytes_total 5',
      'viaduct_requests_total{network_protocol_version="1.0"} 1',
      'viaduct_requests_total{network_protocol_version="1.1"} 2',
      'viaduct_requests_total{network_protocol_version="2"} 1',
      'viaduct_request_failures_total{reason="queue full"} 1',
      'viaduct_request_failures_total{reason="maintenance"} 1',
    ])
      assert.ok(lines.includes(line), `${line} is missing:\n${lines.join('\n')}`);
  });

  it('have the queue and Python only for requests that a worker had', () => {
    const metrics = linesAfter({}, { record: { route: 'shop', queueUs: 1500, pythonUs: 20_000 } });
    const found = metrics.filter((line) => /^viaduct_(queue|python)/.test(line));
    assert.deepEqual(found, [
      'viaduct_queue_wait_seconds_count 1',
      'viaduct_python_duration_seconds_count{http_route="shop"} 1',
    ]);
  });

  it('do not grow without a limit, whatever routes are called', () => {
    const lines = linesAfter(...Array.from({ length: 1100 }, (_, i) => ({ record: { route: `r${i}` } })));
    const counts = lines.filter((line) => line.startsWith(DURATION));
    assert.equal(counts.length, 1000);
    assert.equal(counts.at(-1)?.replace(/.* /, ''), '101');
  });
});
