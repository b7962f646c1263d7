import { ViaductError } from '../errors.ts';
import type { Next } from '../http/handler.ts';
import type { HeaderList, Peer, Request, ResponseBody } from '../http/message.ts';
import { markGone, newRecord } from '../http/request-record.ts';
import { discardBody } from '../http/semantics/response-content.ts';
import { toPromise } from '../http/to-promise.ts';
import { unlessAborted } from '../site/unless-aborted.ts';

/** What a release must answer before it takes requests. */
export interface ProbeOptions {
  /** Paths, each perhaps with a query. */
  readonly paths: readonly string[];
  /** Index of the listener over which the probes seem to come. */
  readonly listener: number;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly timeoutMs: number;
  /** The expected status; null for any from 200 to 299. */
  readonly status: number | null;
  /** The traceback of the exception that answered a probe; '' without one. */
  readonly traceback: () => string;
}

/**
 * Sends a GET for each path through `handle`, the whole chain of a site, one after the other. Resolves when all of them were answered completely
 * and as expected.
 *
 * @throws ViaductError `APPLICATION_BROKEN` that says what came instead, with a traceback as `cause`
 */
export async function probeRelease(handle: Next, options: ProbeOptions, signal: AbortSignal): Promise<void> {
  for (const target of options.paths) await probe(handle, target, options, signal);
}

async function probe(handle: Next, target: string, options: ProbeOptions, signal: AbortSignal): Promise<void> {
  const { listener, host, scheme, status, timeoutMs } = options;
  const startMs = performance.now();
  const request = new ProbeRequest(target, listener, host, scheme);
  const ending = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    ending.abort();
  }, timeoutMs);
  const cancel = (): void => ending.abort();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    signal.throwIfAborted();
    const answering = toPromise(handle(request));
    const response = await unlessAborted(ending.signal, answering, ({ body }) => discardBody(body));
    const ms = Math.round(performance.now() - startMs);
    const isExpected = status === null ? response.status >= 200 && response.status < 300 : response.status === status;
    if (!isExpected) {
      discardBody(response.body);
      throw failed(
        target,
        options,
        `was answered with ${response.status} after ${ms} ms${detailsOf(response, options)}`,
      );
    }
    await unlessAborted(ending.signal, complete(response.body)).catch((error: unknown) => {
      if (ending.signal.aborted) discardBody(response.body);
      throw error;
    });
  } catch (error) {
    markGone(request);
    if (signal.aborted) throw signal.reason;
    if (isLate) throw failed(target, options, `was not answered completely within ${timeoutMs} ms`);
    if (error instanceof ViaductError && error.code === 'APPLICATION_BROKEN') throw error;
    throw failed(target, options, `failed: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

/** Where a redirect leads, or the exception. */
function detailsOf({ status, lines }: { status: number; lines: string }, { traceback }: ProbeOptions): string {
  const location = status >= 300 && status < 400 ? /^location: *(.*)$/im.exec(lines)?.[1] : undefined;
  if (location !== undefined) return `: it leads to ${location.trim()}`;
  const exception = traceback().trimEnd().split('\n').at(-1) ?? '';
  return exception === '' ? '' : `: ${exception}`;
}

function failed(target: string, { host, scheme, traceback }: ProbeOptions, what: string): ViaductError {
  const cause = traceback().trimEnd();
  return new ViaductError(
    'APPLICATION_BROKEN',
    `Cannot use the new release: its probe ${scheme}://${host}${target} ${what}`,
    {
      advice: 'The log may say more. [reload] in viaduct.toml has the probe, its host, scheme, status and time.',
      ...(cause === '' ? {} : { cause }),
    },
  );
}

/** Resolves when all of `body` has come. */
function complete(body: ResponseBody): Promise<void> {
  return new Promise((resolve, reject) => {
    if (body === null || body instanceof Uint8Array) resolve();
    else if ('fd' in body) {
      body.release();
      resolve();
    } else body.start({ write: (_, onReleased) => onReleased?.(), end: resolve, fail: reject });
  });
}

/** A request of this server itself. It comes from this machine, as those of health checks usually do. */
class ProbeRequest implements Request {
  readonly method = 'GET';
  readonly path: string;
  readonly query: string;
  readonly protocol = 'HTTP/1.1';
  readonly headers: HeaderList;
  readonly headersRepeat = false;
  readonly headerCacheId = 0;
  readonly scriptName = '';
  readonly host: string;
  readonly body = null;
  readonly peer: Peer;
  readonly upgrades = false;
  readonly record = newRecord();
  gone = false;
  onGone: (() => void) | null = null;

  constructor(target: string, listener: number, host: string, scheme: 'http' | 'https') {
    const [path = '', ...query] = target.split('?');
    this.path = path;
    this.query = query.join('?');
    this.host = host;
    this.headers = ['Host', host, 'User-Agent', 'viaduct-probe', 'Accept', '*/*'];
    const secure = scheme === 'https';
    this.peer = { remoteAddress: '127.0.0.1', remotePort: 0, listener, secure, serverPort: portOf(host, secure) };
  }

  sendInterim(): void {}
}

/** The port that a client would use for this host. */
function portOf(host: string, secure: boolean): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (secure ? '443' : '80');
}
