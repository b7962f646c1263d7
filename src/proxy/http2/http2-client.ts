import type { HandlerResult } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import type { Backend } from '../backend.ts';
import type { BackendClientOptions } from '../client/backend-client.ts';
import type { Http1Options } from '../http1/http1-transport.ts';
import type { TickClock } from '../tick-clock.ts';
import type { Upstream, UpstreamClient, UpstreamClientOwner } from '../upstream.ts';
import { Http2Pool } from './http2-pool.ts';
import { Http2Request } from './http2-request.ts';
import type { Http2RequestContext } from './http2-request-context.ts';
import { RequestFields } from './request-fields.ts';
import { ResponseSectionReader } from './response-section.ts';

export type Http2ClientOptions = Omit<BackendClientOptions, 'tunnelIdleTimeoutMs'> & Omit<Http1Options, 'closes'>;

/** What each field counts in addition to its bytes (RFC 9113 section 6.5.2). */
const FIELD_BYTES = 32;

/** Sends requests to one backend over HTTP/2 and receives the responses. Requests share connections. */
export class Http2Client implements UpstreamClient, Http2RequestContext {
  readonly backend: Backend;
  readonly clock: TickClock;
  readonly pool: Http2Pool;
  readonly fields: RequestFields;
  readonly owner: UpstreamClientOwner;
  readonly responseTicks: number;
  readonly idleTicks: number;
  readonly needsLength = false;
  readonly mayRefuse = true;
  active = 0;

  constructor(backend: Backend, clock: TickClock, options: Http2ClientOptions, owner: UpstreamClientOwner) {
    const { responseHeadBytesMax, responseHeadCountMax } = options;
    const fieldsMax = responseHeadCountMax + 1; // :status
    const listBytesMax = responseHeadBytesMax + FIELD_BYTES * fieldsMax;
    const sectionReader = new ResponseSectionReader(responseHeadBytesMax, responseHeadCountMax);
    const limits = { sectionBytesMax: listBytesMax, listBytesMax, fieldsMax: fieldsMax + 1 };
    this.backend = backend;
    this.clock = clock;
    this.owner = owner;
    this.fields = new RequestFields(backend, options);
    this.pool = new Http2Pool({ backend, clock, sectionReader, ...limits }, options);
    this.responseTicks = clock.ticks(options.responseTimeoutMs);
    this.idleTicks = clock.ticks(options.idleTimeoutMs);
  }

  requests(): Iterable<Request> {
    return this.pool.requests();
  }

  send(request: Request, tried: readonly Upstream[]): HandlerResult {
    this.active += 1;
    const http2Request = new Http2Request(this, request, tried);
    http2Request.start();
    return http2Request;
  }

  onOver(): void {
    this.active -= 1;
    this.owner.freed();
  }

  stop(): void {
    this.pool.stop();
  }

  destroy(): void {
    this.pool.destroy();
  }
}
