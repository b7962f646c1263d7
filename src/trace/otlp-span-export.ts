import { hostname } from 'node:os';
import { ViaductError } from '../errors.ts';
import { spansOf } from './otlp-spans.ts';
import type { TraceStore } from './store.ts';

export interface SpanExportOptions {
  /** Where the receiver gets spans, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** The attribute `service.name`, unless the variable OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES has it. */
  readonly service: string;
  /** The attribute `service.version`. */
  readonly version: string;
  /** The receiver does not take the spans. It is called once until it takes them again. */
  readonly onFailure: (reason: string) => void;
  /** The receiver takes the spans again. `dropped` traces came meanwhile and were not sent. */
  readonly onRecovery: (dropped: number) => void;
}

/** Between two batches, and after failures twice as long each time. */
const WAIT_MS = 2000;
const WAIT_MS_MAX = 60_000;
/** So many traces wait, and so many are in a batch. A trace may have thousands of spans. */
const WAITING_MAX = 512;
const BATCH_MAX = 32;
const TIMEOUT_MS = 10_000;
/** A receiver that does not answer must not hold the end of the server. */
const LAST_MS_MAX = 3000;

/**
 * Sends the traces that are kept to a receiver of OTLP over HTTP (OpenTelemetry protocol 1.x, `/v1/traces`): in batches, from a queue that drops the
 * oldest. The packages of OpenTelemetry do it; Viaduct does not install them. They read the standard variables, such as OTEL_EXPORTER_OTLP_HEADERS.
 */
export class SpanExport {
  readonly #options: SpanExportOptions;
  readonly #send: (ids: readonly string[]) => Promise<string>;
  readonly #shutDown: () => Promise<void>;
  readonly #leave: () => void;
  #waiting: string[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #waitMs = WAIT_MS;
  #current: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: SpanExportOptions, store: TraceStore, peers: Peers) {
    const { OTLPTraceExporter, detectResources, envDetector, resourceFromAttributes } = peers;
    const exporter = new OTLPTraceExporter({ url: options.url, timeoutMillis: TIMEOUT_MS });
    const own = {
      'service.name': options.service,
      'service.version': options.version,
      'service.instance.id': `${hostname()}:${process.pid}`,
    };
    const resource = resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
    this.#options = options;
    this.#shutDown = () => exporter.shutdown();
    this.#send = (ids) => {
      const spans = ids.flatMap((id) => {
        const document = store.find(id);
        return document === null ? [] : spansOf(document, resource, options.version);
      });
      if (spans.length === 0) return Promise.resolve('');
      return new Promise((resolve) =>
        exporter.export(spans, ({ error, code }) => resolve(error?.message ?? (code === 0 ? '' : 'unknown error'))),
      );
    };
    this.#leave = store.onKept(({ id }) => this.#add(id));
  }

  /** Sends what waits and ends, after three seconds at the latest. */
  async stop(): Promise<void> {
    this.#leave();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const sent = this.#current.then(() => this.#sendAll()).then(() => this.#shutDown());
    const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS_MAX).unref());
    await Promise.race([sent.catch(() => {}), late]);
  }

  #add(id: string): void {
    this.#waiting.push(id);
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#timer ??= setTimeout(() => this.#turn(), this.#waitMs).unref();
  }

  #turn(): void {
    this.#current = this.#sendAll().then(() => {
      this.#timer = this.#waiting.length === 0 ? null : setTimeout(() => this.#turn(), this.#waitMs).unref();
    });
  }

  /** Sends batches until nothing waits, or one fails: that one waits again, before newer ones. */
  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      const failure = await this.#send(batch).catch((error: Error) => error.message);
      this.#note(failure);
      if (failure === '') continue;
      this.#waiting = [...batch, ...this.#waiting].slice(-WAITING_MAX);
      return;
    }
  }

  #note(failure: string): void {
    const failed = failure !== '';
    this.#waitMs = failed ? Math.min(WAIT_MS_MAX, this.#waitMs * 2) : WAIT_MS;
    if (failed && !this.#isFailing) this.#options.onFailure(failure);
    if (!failed && this.#isFailing) {
      this.#options.onRecovery(this.#dropped);
      this.#dropped = 0;
    }
    this.#isFailing = failed;
  }
}

/**
 * Loads the packages of OpenTelemetry, and returns a function that starts the export.
 *
 * @throws ViaductError `SETTINGS` if they are not installed
 */
export async function prepareSpanExport(options: SpanExportOptions): Promise<(store: TraceStore) => SpanExport> {
  const peers = await loadPeers();
  return (store) => new SpanExport(options, store, peers);
}

type Peers = Pick<typeof import('@opentelemetry/exporter-trace-otlp-http'), 'OTLPTraceExporter'> &
  Pick<typeof import('@opentelemetry/resources'), 'detectResources' | 'envDetector' | 'resourceFromAttributes'>;

async function loadPeers(): Promise<Peers> {
  try {
    const [{ OTLPTraceExporter }, { detectResources, envDetector, resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
    return { OTLPTraceExporter, detectResources, envDetector, resourceFromAttributes };
  } catch (error) {
    throw new ViaductError('SETTINGS', `Cannot export traces by OTLP: ${(error as Error).message.split('\n')[0]}`, {
      advice: 'Install @opentelemetry/exporter-trace-otlp-http and @opentelemetry/resources with npm, beside viaduct.',
      cause: error,
    });
  }
}
