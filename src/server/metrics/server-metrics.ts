import type { OpenRequest } from '../../http/transport/protocol-server.ts';
import type { Refused } from '../../log/refusal-log.ts';
import type { Family } from '../../metrics/family.ts';
import { HttpMetrics } from '../../metrics/http-metrics.ts';
import { joinApplications } from '../../metrics/join-applications.ts';
import type { ReverseProxy } from '../../proxy/reverse-proxy.ts';
import type { ClientObserver } from '../../site/client-rules.ts';
import type { ApplicationServer } from '../../workers/application-server.ts';
import type { ProcessReport } from '../status.ts';
import { ApplicationMetrics } from './application-metrics.ts';
import { BackendDurations } from './backend-durations.ts';
import { backendFamilies, type CountedProxies } from './backend-metrics.ts';
import { ConnectionMetrics } from './connection-metrics.ts';
import { gauge } from './gauges.ts';
import { LockWaits } from './lock-waits.ts';
import { logFamilies } from './log-metrics.ts';
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
  warn(text: string): void;
}

/** So many are reported: an application may invent names. */
const REFUSED_MAX = 100;

/**
 * All metrics of a server process. What happens is counted here as it happens; everything else is read from the server at a scrape. Without
 * this object nothing is counted.
 */
export class ServerMetrics implements ClientObserver {
  readonly #connections = new ConnectionMetrics();
  readonly #server: MeasuredServer;
  readonly #http = new HttpMetrics();
  readonly #process = new ProcessMetrics();
  readonly #applications = new ApplicationMetrics();
  readonly #backendDurations = new BackendDurations();
  readonly #lockWaits: LockWaits;
  /** The metrics of applications that were left out. Each is reported once. */
  readonly #refused = new Set<string>();

  constructor(server: MeasuredServer) {
    this.#server = server;
    this.#lockWaits = new LockWaits(() => server.applications());
  }

  readonly onAnswered = this.#http.onAnswered;

  readonly onRefused = (what: Refused, reason: string): void => this.#connections.refused(what, reason);

  readonly onServed = (protocol: string, isSecure: boolean): void => this.#connections.served(protocol, isSecure);

  /** Measures the requests at the backends of these proxies from now on. */
  measure(proxies: ReadonlyMap<string, Pick<ReverseProxy, 'measure'>>): void {
    this.#backendDurations.measure(proxies);
  }

  async families(): Promise<readonly Family[]> {
    const server = this.#server;
    const counted = await Promise.all(
      server.applications().map(async ([name, application]) => [name, await application.metrics()] as const),
    );
    const process = await this.#process.families();
    // From here on nothing waits, because histograms go on to count.
    const report = server.report();
    const own = [
      ...this.#http.families(),
      ...openFamilies(server),
      ...this.#connections.families(),
      ...this.#applications.families(report.process.applications, server.applications()),
      ...backendFamilies(report.backends, server.proxies()),
      ...reportFamilies(report),
      ...memoryFamilies(),
      this.#backendDurations.family(),
      this.#lockWaits.family(),
      ...logFamilies(),
      ...process,
    ];
    const { families, refused } = joinApplications(counted, new Set(own.map(({ name }) => name)));
    this.#report(refused);
    return [...own, ...families];
  }

  #report(refused: readonly string[]): void {
    for (const metric of refused) {
      if (this.#refused.has(metric) || this.#refused.size >= REFUSED_MAX) continue;
      this.#refused.add(metric);
      this.#server.warn(`A metric is left out: ${metric}`);
    }
  }

  stop(): void {
    this.#process.stop();
    this.#lockWaits.stop();
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
