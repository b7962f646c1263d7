import type { OpenRequest } from '../../http/transport/protocol-server.ts';
import type { Refused } from '../../log/refusal-log.ts';
import { Counters } from '../../metrics/counters.ts';
import type { Family } from '../../metrics/family.ts';
import { HttpMetrics } from '../../metrics/http-metrics.ts';
import type { ClientObserver } from '../../site/client-rules.ts';
import type { ApplicationServer } from '../../workers/application-server.ts';
import type { ProcessReport } from '../status.ts';
import { ApplicationMetrics } from './application-metrics.ts';
import { backendFamilies, type CountedProxies } from './backend-metrics.ts';
import { ConnectionMetrics } from './connection-metrics.ts';
import { gauge } from './gauges.ts';
import { memoryFamilies } from './memory-metrics.ts';
import { ProcessMetrics } from './process-metrics.ts';

/** The server as its metrics read it at a scrape. */
export interface MeasuredServer {
  report(): ProcessReport;
  /** Open connections by protocol. */
  connectionsByProtocol(): readonly (readonly [protocol: string, connections: number])[];
  openRequests(): Iterable<OpenRequest>;
  applications(): readonly (readonly [name: string, application: ApplicationServer])[];
  proxies(): CountedProxies;
}

/** Further metrics that a scrape contains, such as those of the application. */
export type MetricSource = () => Promise<readonly Family[]>;

/**
 * All metrics of a server process. What happens is counted here as it happens; everything else is read from the server at a scrape. Without
 * this object nothing is counted.
 */
export class ServerMetrics implements ClientObserver {
  /** What is added to each scrape. A source that fails is left out. */
  readonly sources: MetricSource[] = [];
  readonly #connections = new ConnectionMetrics();
  readonly #server: MeasuredServer;
  readonly #http = new HttpMetrics();
  readonly #process = new ProcessMetrics();
  readonly #applications = new ApplicationMetrics();
  readonly #dropped = new Counters({
    name: 'viaduct_log_lines_dropped',
    help: 'Lines of a log that its reader was too slow for.',
    label: 'log',
    from: ['access'],
  });

  constructor(server: MeasuredServer) {
    this.#server = server;
  }

  readonly onAnswered = this.#http.onAnswered;

  readonly onRefused = (what: Refused, reason: string): void => this.#connections.refused(what, reason);

  readonly onServed = (protocol: string, isSecure: boolean): void => this.#connections.served(protocol, isSecure);

  readonly onLinesDropped = (lines: number): void => this.#dropped.addAt(this.#dropped.index('access'), lines);

  async families(): Promise<readonly Family[]> {
    const server = this.#server;
    const further = await Promise.all(this.sources.map((source) => source().catch(() => [])));
    const process = await this.#process.families();
    // From here on nothing waits, because histograms go on to count.
    const report = server.report();
    return [
      ...this.#http.families(),
      ...openFamilies(server),
      ...this.#connections.families(),
      ...this.#applications.families(report.process.applications, server.applications()),
      ...backendFamilies(report.backends, server.proxies()),
      ...reportFamilies(report),
      ...memoryFamilies(),
      this.#dropped.family(),
      ...process,
      ...further.flat(),
    ];
  }

  stop(): void {
    this.#process.stop();
  }
}

function openFamilies(server: MeasuredServer): Family[] {
  let requests = 0;
  let streams = 0;
  for (const { request } of server.openRequests()) {
    requests += 1;
    if (request.protocol === 'HTTP/2.0') streams += 1;
  }
  return [
    gauge({ name: 'http_server_active_requests', help: 'Requests that are not answered completely.' }, [
      [{}, requests],
    ]),
    gauge({ name: 'viaduct_http2_streams', help: 'Open streams of HTTP/2.' }, [[{}, streams]]),
    gauge(
      { name: 'viaduct_connections', help: 'Open connections of clients by protocol.' },
      server.connectionsByProtocol().map(([protocol, connections]) => [{ protocol }, connections]),
    ),
  ];
}

function reportFamilies({ process, certificates }: ProcessReport): Family[] {
  return [
    gauge(
      { name: 'viaduct_ready', help: '1 if load balancers should send requests, as /-/ready says.', combine: 'each' },
      [[{}, process.ready ? 1 : 0]],
    ),
    gauge(
      {
        name: 'viaduct_certificate_expiry_timestamp_seconds',
        help: 'When a certificate expires, in seconds since 1970.',
        unit: 'seconds',
        combine: 'min',
      },
      certificates.flatMap(({ file, expires_at }) =>
        expires_at === null ? [] : [[{ file }, Date.parse(expires_at) / 1000] as const],
      ),
    ),
  ];
}
