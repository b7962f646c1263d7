import type { Request } from '../../http/message.ts';
import { searchOf } from '../../wsgi/request-path.ts';
import { type Backend, backendAuthority } from '../backend.ts';
import { type ForwardedMode, forwardedLines } from '../forwarded.ts';
import { requestFieldKind } from '../hop-by-hop.ts';

export interface RequestHeadOptions {
  /** Host field for the backend: the client's, the backend's own, or this value. */
  readonly hostHeader: 'client' | 'backend' | string;
  readonly forwarded: ForwardedMode;
  /** The port of each listener, for X-Forwarded-Port. */
  readonly listenerPorts: readonly string[];
  /**
   * Whether fields with an underscore in their name are passed on. CGI-like interfaces confuse them with names that
   * contain a hyphen.
   */
  readonly underscores: boolean;
  /** Whether the connection closes after the request. */
  readonly closes: boolean;
}

/**
 * Repeated requests of one client have the same fields, so the written fields are cached for this many field sections.
 */
const CACHED_MAX = 1024;
const CACHED_LENGTH_MAX = 4096;
const NEED_LENGTH = new Set(['POST', 'PUT', 'PATCH']);

/** Writes the heads of the requests to one backend. */
export class RequestHeads {
  readonly #options: RequestHeadOptions;
  /** The value of the Host field, or `client`. */
  readonly #authority: string;
  readonly #backendAuthority: string;
  readonly #cached = new Map<number, string>();

  constructor(backend: Backend, options: RequestHeadOptions) {
    this.#options = options;
    this.#backendAuthority = backendAuthority(backend);
    this.#authority = options.hostHeader === 'backend' ? this.#backendAuthority : options.hostHeader;
  }

  /** The head of `request`. It requests the protocol `upgrade` unless that is ''. */
  write(request: Request, upgrade: string): string {
    const { method, body } = request;
    let framing = '';
    if (body !== null)
      framing = body.length < 0 ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${body.length}\r\n`;
    else if (needsLength(method)) framing = 'Content-Length: 0\r\n';
    if (upgrade !== '') framing += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
    else if (this.#options.closes) framing += 'Connection: close\r\n';
    return `${method} ${requestTarget(request)} HTTP/1.1\r\n${this.fields(request)}${framing}\r\n`;
  }

  /** The field lines of `request`, without those that frame the content. The first one is Host. */
  fields(request: Request): string {
    const { headerCacheId } = request;
    if (headerCacheId === 0) return this.#writeFields(request);
    const known = this.#cached.get(headerCacheId);
    if (known !== undefined) return known;
    const fields = this.#writeFields(request);
    if (fields.length > CACHED_LENGTH_MAX) return fields;
    if (this.#cached.size >= CACHED_MAX) this.#cached.clear();
    this.#cached.set(headerCacheId, fields);
    return fields;
  }

  #writeFields(request: Request): string {
    const { headers, host, peer } = request;
    const { forwarded, listenerPorts, underscores } = this.#options;
    const writesX = forwarded === 'x-forwarded' || forwarded === 'both';
    const writesForwarded = forwarded === 'forwarded' || forwarded === 'both';
    const received = { for: '', host: '', port: '', forwarded: '' };
    const authority = this.#authority === 'client' ? host : this.#authority;
    let lines = `Host: ${authority || this.#backendAuthority}\r\n`;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      const kind = requestFieldKind(name);
      if (kind === 'drop' || kind === 'connection' || kind === 'upgrade') continue;
      if (!underscores && name.includes('_')) continue;
      if (writesX && kind.startsWith('x-')) {
        if (kind === 'x-forwarded-for') received.for = received.for === '' ? value : `${received.for}, ${value}`;
        else if (kind === 'x-forwarded-host') received.host ||= value;
        else if (kind === 'x-forwarded-port') received.port ||= value;
      } else if (writesForwarded && kind === 'forwarded') {
        received.forwarded = received.forwarded === '' ? value : `${received.forwarded}, ${value}`;
      } else lines += `${name}: ${value}\r\n`;
    }
    return lines + forwardedLines(request, received, forwarded, listenerPorts[peer.listener] ?? '');
  }
}

/** Path and query for the backend. A path below `scriptName` loses that prefix. */
export function requestTarget(request: Request): string {
  const { path, scriptName } = request;
  const targetPath = scriptName !== '' && path.startsWith(scriptName) ? path.slice(scriptName.length) : path;
  return (targetPath === '' ? '/' : targetPath) + searchOf(request);
}

/** Whether a request with this method has a Content-Length even without content (RFC 9110 section 8.6). */
export function needsLength(method: string): boolean {
  return NEED_LENGTH.has(method);
}

/**
 * The protocols that the client requests by Upgrade; '' without any. Also '' when HTTP/2 is among them, because HTTP/2
 * in a tunnel would bypass every check here.
 */
export function requestedUpgrade(request: Request): string {
  if (!request.upgrades) return '';
  const { headers } = request;
  let protocols = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (requestFieldKind(headers[i] as string) !== 'upgrade') continue;
    protocols = protocols === '' ? (headers[i + 1] as string) : `${protocols}, ${headers[i + 1]}`;
  }
  return /(?:^|[\s,])h2c?(?:$|[\s,/])/i.test(protocols) ? '' : protocols;
}
