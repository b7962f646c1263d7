import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { CidrList } from '../http/semantics/cidr.ts';
import type { Configuration } from '../site/configuration.ts';

const LIVE = '/-/live';
const READY = '/-/ready';
const HYPHEN = 45;

/** Clients near the server: this machine, private networks (RFC 1918, RFC 4193), shared addresses (RFC 6598), link-local ones. */
const NEAR = CidrList.parse(['loopback', 'unix', 'private', '100.64.0.0/10', '169.254.0.0/16', 'fe80::/10']);

/** Whether `path` can be that of a probe. It is asked for each request, and costs one comparison. */
export function mayBeProbe(path: string): boolean {
  return path.charCodeAt(1) === HYPHEN;
}

/**
 * Answers the probes of load balancers and service managers: `/-/live` as long as this process answers at all, `/-/ready` if it
 * should get requests. No route, handler or worker takes part. A route that has such a path itself gets its requests.
 */
export class Probes {
  readonly #reasons: () => readonly string[];
  /** The paths that are answered here. */
  #paths: ReadonlySet<string> = new Set();
  #answersAll = false;
  /** Probes that found nothing wrong. */
  readonly #passed = new WeakSet<Request>();

  /** `reasons` returns why the server is not ready; it is when there are none. */
  constructor(reasons: () => readonly string[]) {
    this.#reasons = reasons;
  }

  /** Uses the settings of `configuration` from now on. */
  take({ settings, site }: Configuration): void {
    const routed = new Set(site?.route.flatMap(({ path }) => path));
    const isFree = (path: string): boolean => !routed.has(path) && !routed.has('/-/*');
    this.#paths = new Set(settings.probes === 'off' ? [] : [LIVE, READY].filter(isFree));
    this.#answersAll = settings.probes === 'all';
  }

  /** Returns the response to a probe; null for any other request. */
  answer(request: Request): Response | null {
    const { path, peer, method } = request;
    if (!this.#paths.has(path) || !(this.#answersAll || NEAR.matches(peer.remoteAddress))) return null;
    if (method !== 'GET' && method !== 'HEAD')
      return Response.text(405, 'Only GET and HEAD are allowed here\n', ['Allow', 'GET, HEAD']);
    const reasons = path === LIVE ? [] : this.#reasons();
    if (reasons.length > 0) return json(503, { ready: false, reasons });
    this.#passed.add(request);
    return json(200, path === LIVE ? { live: true } : { ready: true, reasons });
  }

  /** Whether `request` was a probe that found nothing wrong. Such probes come every few seconds, and the access log leaves them out. */
  hasPassed(request: Request): boolean {
    return this.#passed.has(request);
  }
}

function json(status: number, value: object): Response {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  return Response.fromHeaders(status, ['Content-Type', 'application/json', 'Cache-Control', 'no-store'], body);
}
