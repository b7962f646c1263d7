import { hostname } from 'node:os';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { ViaductError } from '../errors.ts';
import type { MetricFamily } from './family.ts';
import { type Period, toMetricData } from './otlp-data.ts';

export interface OtlpOptions {
  /** Where the receiver gets metrics, such as `http://127.0.0.1:4318/v1/metrics`. */
  readonly url: string;
  readonly intervalMs: number;
  /** The attribute `service.name`, unless the variable OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has it. */
  readonly service: string;
  /** The attribute `service.version`. */
  readonly version: string;
}

/** What an export needs of the server. */
export interface OtlpSource {
  collect(): Promise<readonly MetricFamily[]>;
  /** The receiver does not take the metrics. It is called once until it takes them again. */
  onFailure(reason: string): void;
  /** The receiver takes the metrics again. */
  onRecovery(): void;
}

/** The exporter gives an attempt up after this time, retries included. */
const TIMEOUT_MS_MAX = 10_000;

/**
 * Sends all metrics to a receiver of OTLP over HTTP, every `intervalMs` and once more at the end (OpenTelemetry protocol 1.x, `/v1/metrics`). The
 * packages of OpenTelemetry do it; Viaduct does not install them. They read the standard variables, such as OTEL_EXPORTER_OTLP_HEADERS.
 */
export class OtlpExport {
  readonly #options: OtlpOptions;
  readonly #source: OtlpSource;
  readonly #send: (families: readonly MetricFamily[]) => Promise<string>;
  readonly #shutDown: () => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #current: Promise<void> | null = null;
  #isFailing = false;

  private constructor(options: OtlpOptions, source: OtlpSource, peers: Peers) {
    const { OTLPMetricExporter, detectResources, envDetector, resourceFromAttributes } = peers;
    const exporter = new OTLPMetricExporter({
      url: options.url,
      timeoutMillis: Math.min(TIMEOUT_MS_MAX, options.intervalMs),
    });
    const own = {
      'service.name': options.service,
      'service.version': options.version,
      'service.instance.id': `${hostname()}:${process.pid}`,
    };
    const resource = resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
    const startTime = timeOf(Date.now());
    this.#options = options;
    this.#source = source;
    this.#shutDown = () => exporter.shutdown();
    this.#send = (families) => {
      const period: Period = { startTime, endTime: timeOf(Date.now()) };
      const scope = { name: 'viaduct', version: options.version };
      const metrics = families.flatMap((family) => toMetricData(family, period));
      const data: ResourceMetrics = { resource, scopeMetrics: [{ scope, metrics }] };
      return new Promise((resolve) =>
        exporter.export(data, ({ error, code }) => resolve(error?.message ?? (code === 0 ? '' : 'unknown error'))),
      );
    };
    this.#wait();
  }

  /** @throws ViaductError if the packages of OpenTelemetry are not installed. */
  static async start(options: OtlpOptions, source: OtlpSource): Promise<OtlpExport> {
    return new OtlpExport(options, source, await loadPeers());
  }

  /** Sends the last values and ends. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#current;
    await this.#export();
    await this.#shutDown();
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#current = this.#export().then(() => {
        this.#current = null;
        if (this.#timer !== null) this.#wait();
      });
    }, this.#options.intervalMs).unref();
  }

  async #export(): Promise<void> {
    let failure: string;
    try {
      failure = await this.#send(await this.#source.collect());
    } catch (error) {
      failure = (error as Error).message;
    }
    if (failure !== '' && !this.#isFailing) this.#source.onFailure(failure);
    if (failure === '' && this.#isFailing) this.#source.onRecovery();
    this.#isFailing = failure !== '';
  }
}

type Peers = Pick<typeof import('@opentelemetry/exporter-metrics-otlp-http'), 'OTLPMetricExporter'> &
  Pick<typeof import('@opentelemetry/resources'), 'detectResources' | 'envDetector' | 'resourceFromAttributes'>;

async function loadPeers(): Promise<Peers> {
  try {
    const [{ OTLPMetricExporter }, { detectResources, envDetector, resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/exporter-metrics-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
    return { OTLPMetricExporter, detectResources, envDetector, resourceFromAttributes };
  } catch (error) {
    throw new ViaductError('SETTINGS', `Cannot export metrics by OTLP: ${(error as Error).message.split('\n')[0]}`, {
      advice:
        'Install @opentelemetry/exporter-metrics-otlp-http and @opentelemetry/resources with npm, beside viaduct.',
      cause: error,
    });
  }
}

function timeOf(ms: number): [number, number] {
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
}
