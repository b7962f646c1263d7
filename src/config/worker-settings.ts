import type { Setting } from './setting.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MINUTE = 60_000;

/** The queue, the lanes and the workers of the application server. The defaults suit most sites. */
export const WORKER_SETTINGS = {
  queueMax: {
    kind: 'integer',
    default: 20_000,
    min: 0,
    max: 1_000_000,
    alsoCalled: 'backlog backpressure listen_queue',
    group: 'application server',
    help: 'Requests that may wait for a worker; then 503 with Retry-After.',
    reason: 'As many as connections: not the number decides, but how long they wait (`queue_delay_ms`).',
  },
  queueDelayMs: {
    kind: 'duration',
    default: 1000,
    min: 0,
    max: 60 * MINUTE,
    group: 'application server',
    help: 'Wait for a worker that a request may expect under overload; then 503 at once. 0 for any wait.',
    reason: 'Overload lasts longer than a second. A burst waits, and so do 16 requests for each worker thread.',
  },
  laneDepthMax: {
    kind: 'integer',
    default: 64,
    min: 1,
    max: 1024,
    group: 'application server',
    help: 'Requests that the server may send ahead to one worker thread.',
    reason: 'The server sends ahead only while the expected wait stays below 1 ms. Beyond 64, no gain was measured.',
  },
  bodyMemoryBytesMax: {
    kind: 'bytes',
    default: 256 * KIB,
    min: 0,
    max: GIB,
    alsoCalled: 'client_body_buffer_size inbuf_overflow post_buffering',
    group: 'application server',
    help: 'Length of request content (a body) that waits in memory. Longer content goes to a file.',
    reason: 'Forms fit into memory. Uploads do not.',
  },
  responseBufferBytesMax: {
    kind: 'bytes',
    default: 16 * MIB,
    min: 64 * KIB,
    max: GIB,
    alsoCalled: 'outbuf_overflow outbuf_high_watermark proxy_buffers',
    group: 'application server',
    help: 'Bytes of a response that wait for a slow client before the worker has to wait.',
    reason: 'Nearly every page and picture fits, so a worker is free at once.',
  },
  retryIdempotent: {
    kind: 'boolean',
    default: false,
    group: 'application server',
    help: 'Run a GET, HEAD, OPTIONS, PUT or DELETE once more if its worker died.',
    reason: 'A request that killed one worker may kill the next.',
  },
  startTimeoutMs: {
    kind: 'duration',
    default: MINUTE,
    min: 1000,
    max: 60 * MINUTE,
    group: 'application server',
    help: 'Time for the application to import and its workers to become ready.',
    reason: 'Large Django projects import for ten seconds on a cold disk.',
  },
  workerTimeoutMs: {
    kind: 'duration',
    default: 30_000,
    min: 0,
    max: 60 * MINUTE,
    alsoCalled: 'worker_silence heartbeat_timeout harakiri',
    group: 'application server',
    help: 'Time in which a worker, or one of several server processes, must respond, whatever its requests do. Then it is killed and replaced. 0: never.',
    reason:
      'A thread that answers needs the interpreter lock, which C code may hold for seconds. gunicorn has the same limit.',
  },
} as const satisfies Record<string, Setting>;
