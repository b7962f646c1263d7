import { hostname } from 'node:os';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { ViaductError } from '../errors.ts';
import { type Family, withSamples } from './family.ts';
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
  collect(): Promise<readonly Family[]>;
  /** The receiver does not take the metrics. It is called once until it takes them again. */
  onFailure(reason: string): void;
  /** The receiver takes the metrics again. */
  onRecovery(): void;
}

/** The exporter gives an attempt up after this time, retries included. */
const TIMEOUT_MS_MAX = 10_000;
/** A receiver that does not answer must not hold the end of the server. */
const LAST_MS_MAX = 3000;

/**
 * Sends all metrics to a receiver of OTLP over HTTP, every `intervalMs` and once more at the end (OpenTelemetry protocol 1.x, `/v1/metrics`). The
 * packages of OpenTelemetry do it; Viaduct does not install them. They read the standard variables, such as OTEL_EXPORTER_OTLP_HEADERS.
 */
export class OtlpExport {
  readonly #options: OtlpOptions;
  readonly #source: OtlpSource;
  readonly #send: (families: readonly Family[]) => Promise<string>;
  readonly #shutDown: () => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #current: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: OtlpOptions, source: OtlpSource, peers: Peers) {
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
      const metrics = families.flatMap((family) => toMetricData(withSamples(family), period));
      const data: ResourceMetrics = { resource, scopeMetrics: [{ scope, metrics }] };
      return new Promise((resolve) =>
        exporter.export(data, ({ error, code }) => resolve(error?.message ?? (code === 0 ? '' : 'unknown error'))),
      );
    };
    this.#wait();
  }

  /** Sends the last values and ends, after three seconds at the latest. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const sent = (this.#current ?? Promise.resolve()).then(() => this.#export()).then(() => this.#shutDown());
    const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS_MAX).unref());
    await Promise.race([sent.catch(() => {}), late]);
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

/**
 * Loads the packages of OpenTelemetry, and returns a function that starts the export.
 *
 * @throws ViaductError `SETTINGS` if they are not installed
 */
export async function prepareExport(options: OtlpOptions): Promise<(source: OtlpSource) => OtlpExport> {
  const peers = await loadPeers();
  return (source) => new OtlpExport(options, source, peers);
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
