import type { Request } from '../http/message.ts';
import { Counters } from './counters.ts';
import type { Family } from './family.ts';
import { Histograms } from './histograms.ts';

/** The bounds that the semantic conventions of OpenTelemetry advise for `http.server.request.duration`, in seconds. */
const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Waits and views are shorter. */
const SHORT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The methods that a label may name; any other is `_OTHER` (OpenTelemetry, `http.request.method`). */
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', '_OTHER'];
const OTHER_METHOD = METHODS.length - 1;
const METHOD_INDEXES: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]));
/** 1xx to 5xx; a status is never anything else. */
const CLASSES = 5;

/** Names of routes come from the configuration. This is for one that generates new names at each reload. */
const ROUTES_MAX = 1000;
const OTHER_ROUTE = 'other';

/** The series of one route. */
interface RouteSeries {
  readonly route: string;
  /** The series of durations by method and class of the status; -1 where there was no such request. */
  readonly durations: Int32Array;
  readonly python: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/**
 * Counts answered requests of all protocols. The series of a route are looked up once, and remembered while the next requests have the same
 * route: an answered request costs a comparison and some additions.
 */
export class HttpMetrics {
  readonly #durations = new Histograms({
    name: 'http_server_request_duration_seconds',
    help: 'Time from the end of the head of a request to the end of its response.',
    unit: 'seconds',
    bounds: DURATION_BOUNDS,
  });
  readonly #python = new Histograms({
    name: 'viaduct_python_duration_seconds',
    help: 'Time in Python, from the start of the application until its last block was sent.',
    unit: 'seconds',
    bounds: SHORT_BOUNDS,
  });
  readonly #queue = new Histograms({
    name: 'viaduct_queue_wait_seconds',
    help: 'Time from the complete request until its response came from a worker, without the time in Python.',
    unit: 'seconds',
    bounds: SHORT_BOUNDS,
  });
  readonly #requestBytes = new Counters({
    name: 'viaduct_request_content_bytes',
    help: 'Content of requests, as Content-Length announced it. Content of unknown length is not counted.',
    unit: 'bytes',
    label: 'http_route',
    seriesMax: ROUTES_MAX,
  });
  readonly #responseBytes = new Counters({
    name: 'viaduct_response_content_bytes',
    help: 'Content of responses as sent, after compression, without framing.',
    unit: 'bytes',
    label: 'http_route',
    seriesMax: ROUTES_MAX,
  });
  readonly #versions = new Counters({
    name: 'viaduct_requests',
    help: 'Answered requests by version of HTTP.',
    label: 'network_protocol_version',
    from: ['1.1', '2'],
  });
  readonly #reasons = new Counters({
    name: 'viaduct_request_failures',
    help: 'Requests that the server answered itself or gave up, by the reason in the access log.',
    label: 'reason',
    from: ['queue full', 'waited too long', 'took too long', 'worker died', 'exception', 'client left'],
  });
  readonly #routes = new Map<string, RouteSeries>();
  readonly #queueSeries = this.#queue.add({});
  readonly #version1 = this.#versions.index('1.1');
  readonly #version2 = this.#versions.index('2');
  #last: RouteSeries = this.#routeSeries('');

  /** Counts an answered request; see `ConnectionOptions.onAnswered`. */
  readonly onAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number): void => {
    const { record, body, protocol } = request;
    let series = this.#last;
    if (series.route !== record.route) {
      series = this.#routeSeries(record.route);
      this.#last = series;
    }
    const at = (METHOD_INDEXES.get(request.method) ?? OTHER_METHOD) * CLASSES + classOf(status);
    let duration = series.durations[at] as number;
    if (duration < 0) duration = this.#durationSeries(series, at);
    this.#durations.observe(duration, (performance.now() - startedAtMs) / 1000);
    if (record.queueUs >= 0) {
      this.#queue.observe(this.#queueSeries, record.queueUs / 1e6);
      this.#python.observe(series.python, record.pythonUs / 1e6);
    }
    this.#responseBytes.addAt(series.responseBytes, bodyBytes);
    if (body !== null && body.length > 0) this.#requestBytes.addAt(series.requestBytes, body.length);
    if (protocol === 'HTTP/1.1') this.#versions.addAt(this.#version1, 1);
    else if (protocol === 'HTTP/2.0') this.#versions.addAt(this.#version2, 1);
    else this.#versions.count('1.0');
    if (record.reason !== '') this.#reasons.count(record.reason);
  };

  families(): Family[] {
    return [
      this.#durations.family(),
      this.#queue.family(),
      this.#python.family(),
      this.#requestBytes.family(),
      this.#responseBytes.family(),
      this.#versions.family(),
      this.#reasons.family(),
    ];
  }

  #routeSeries(name: string): RouteSeries {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    if (this.#routes.size >= ROUTES_MAX && name !== OTHER_ROUTE) return this.#routeSeries(OTHER_ROUTE);
    const series = {
      route: name,
      durations: new Int32Array(METHODS.length * CLASSES).fill(-1),
      python: this.#python.add(routeLabel(name)),
      requestBytes: this.#requestBytes.index(name),
      responseBytes: this.#responseBytes.index(name),
    };
    this.#routes.set(name, series);
    return series;
  }

  #durationSeries({ route, durations }: RouteSeries, at: number): number {
    const series = this.#durations.add({
      ...routeLabel(route),
      http_request_method: METHODS[Math.floor(at / CLASSES)] as string,
      http_response_status_class: `${(at % CLASSES) + 1}xx`,
    });
    durations[at] = series;
    return series;
  }
}

/** A request without a route has no such label (OpenTelemetry, `http.route`). */
function routeLabel(name: string): Record<string, string> {
  return name === '' ? {} : { http_route: name };
}

/** From 0 for 1xx to 4 for 5xx. */
function classOf(status: number): number {
  return Math.min(CLASSES, Math.max(1, Math.floor(status / 100))) - 1;
}
