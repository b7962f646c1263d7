import type { HeaderList, Request } from '../../http/message.ts';
import { bytesOf, fieldValue } from '../../placeholders/bytes.ts';
import { NO_ANSWER, NO_VALUES } from '../../placeholders/placeholder.ts';
import { isPlain, plainText, type Template } from '../../placeholders/template.ts';
import { VERSION } from '../../version.ts';
import { decodedScriptName, pathInfo, searchOf } from '../../wsgi/request-path.ts';
import { environKey, joinRepeated, userVariable } from '../../wsgi/variables.ts';
import { type ForwardedMode, forwardedLines } from '../forwarded.ts';
import { requestFieldKind } from '../hop-by-hop.ts';

export interface RequestParamOptions {
  readonly forwarded: ForwardedMode;
  /** The port of each listener. */
  readonly listenerPorts: readonly string[];
  /** Additional variables. They override the variables of the request. */
  readonly params: readonly CgiParam[];
}

/** The name of a variable, and its value with placeholders. */
export type CgiParam = readonly [name: string, value: Template];

/** Alternating names and values of CGI variables (RFC 3875 section 4.1). Strings are latin-1. */
export type RequestVariables = readonly string[];

/**
 * Repeated requests of one client have the same fields, so the encoded variables are cached for this many field
 * sections.
 */
const CACHED_MAX = 1024;
const CACHED_LENGTH_MAX = 8192;

/**
 * Writes the variables of requests in the encoding of one protocol. Variables that recur with the fields of a client
 * are encoded once.
 */
export class RequestParams {
  readonly #options: RequestParamOptions;
  readonly #encode: (variables: RequestVariables) => string;
  readonly #overridden: ReadonlySet<string>;
  /** The params without placeholders. */
  readonly #plain: string;
  readonly #filled: readonly CgiParam[];
  readonly #cached = new Map<number, string>();

  /** `encode` encodes a part of the variables; the encoded parts are concatenated. */
  constructor(options: RequestParamOptions, encode: (variables: RequestVariables) => string) {
    this.#options = options;
    this.#encode = encode;
    this.#overridden = new Set(options.params.map(([name]) => name));
    const plain = options.params.filter(([, value]) => isPlain(value));
    this.#plain = encode(plain.flatMap(([name, value]) => [name, bytesOf(plainText(value))]));
    this.#filled = options.params.filter(([, value]) => !isPlain(value));
  }

  /** The encoded variables of `request`; CONTENT_LENGTH is the first. */
  write(request: Request): string {
    const fixed = this.#part(requestVariables(request)) + this.#section(request) + this.#plain;
    return this.#filled.length === 0 ? fixed : fixed + this.#encode(filledVariables(this.#filled, request));
  }

  #section(request: Request): string {
    const { headerCacheId } = request;
    if (headerCacheId === 0) return this.#part(sectionVariables(request, this.#options));
    const known = this.#cached.get(headerCacheId);
    if (known !== undefined) return known;
    const text = this.#part(sectionVariables(request, this.#options));
    if (text.length > CACHED_LENGTH_MAX) return text;
    if (this.#cached.size >= CACHED_MAX) this.#cached.clear();
    this.#cached.set(headerCacheId, text);
    return text;
  }

  /** Encodes `variables` except those that the configuration overrides. */
  #part(variables: RequestVariables): string {
    const overridden = this.#overridden;
    return this.#encode(
      overridden.size === 0 ? variables : variables.filter((_, i) => !overridden.has(variables[i - (i % 2)] as string)),
    );
  }
}

/** A value cannot end a variable: it has the bytes that a field can have. */
function filledVariables(params: readonly CgiParam[], request: Request): RequestVariables {
  return params.flatMap(([name, value]) => [
    name,
    value
      .map((piece) =>
        typeof piece === 'string' ? bytesOf(piece) : fieldValue(piece.value(request, NO_ANSWER, NO_VALUES)),
      )
      .join(''),
  ]);
}

/** The variables that differ from request to request. */
function requestVariables(request: Request): RequestVariables {
  return [
    'CONTENT_LENGTH',
    request.body === null ? '0' : `${request.body.length}`,
    'REQUEST_METHOD',
    request.method,
    'REQUEST_URI',
    request.path + searchOf(request),
    'SCRIPT_NAME',
    decodedScriptName(request),
    'PATH_INFO',
    pathInfo(request),
    'QUERY_STRING',
    request.query,
    ...(request.user === undefined ? [] : ['REMOTE_USER', userVariable(request.user), 'AUTH_TYPE', 'Basic']),
  ];
}

/** The variables that recur with the client and its fields. */
function sectionVariables(request: Request, options: RequestParamOptions): RequestVariables {
  const { protocol, peer, host } = request;
  const { secure } = peer;
  const variables = [
    'SERVER_PROTOCOL',
    protocol,
    'SERVER_SOFTWARE',
    `viaduct/${VERSION}`,
    'GATEWAY_INTERFACE',
    'CGI/1.1',
    'SERVER_NAME',
    host.replace(/:\d*$/, '') || 'localhost',
    'SERVER_PORT',
    peer.serverPort || options.listenerPorts[peer.listener] || (secure ? '443' : '80'),
    'REMOTE_ADDR',
    peer.remoteAddress,
    'REMOTE_PORT',
    `${peer.remotePort}`,
    'REQUEST_SCHEME',
    secure ? 'https' : 'http',
  ];
  if (secure) variables.push('HTTPS', 'on');
  const fields = fieldsOf(request, options);
  for (let i = 0; i < fields.length; i += 2) {
    const key = environKey(fields[i] as string);
    if (key !== null && key !== 'CONTENT_LENGTH') variables.push(key, fields[i + 1] as string);
  }
  return variables;
}

/**
 * The fields for the application, each name once: without the fields of the connection, with the forwarding fields
 * about the client.
 */
function fieldsOf(request: Request, { forwarded, listenerPorts }: RequestParamOptions): HeaderList {
  const { headers, host, peer } = request;
  const received = { for: '', host: '', port: '', forwarded: '' };
  const fields: string[] = host === '' ? [] : ['Host', host];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const kind = requestFieldKind(name);
    if (kind === 'drop' || kind === 'connection' || kind === 'upgrade') continue;
    if (kind === 'pass' || forwarded === 'off') fields.push(name, value);
    else if (kind === 'x-forwarded-for') received.for = received.for === '' ? value : `${received.for}, ${value}`;
    else if (kind === 'x-forwarded-host') received.host ||= value;
    else if (kind === 'x-forwarded-port') received.port ||= value;
    else if (kind === 'forwarded')
      received.forwarded = received.forwarded === '' ? value : `${received.forwarded}, ${value}`;
  }
  const port = listenerPorts[peer.listener] ?? '';
  for (const line of forwardedLines(request, received, forwarded, port).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.push(line.slice(0, colon), line.slice(colon + 2));
  }
  return joinRepeated(fields);
}
