import type { Span, TraceDocument } from './document.ts';

type Attributes = Record<string, string | number | boolean>;

/** The methods that the conventions know (OpenTelemetry, `http.request.method`). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** The attributes of a request, by OpenTelemetry's semantic conventions for HTTP servers. Those of Viaduct's own start with `viaduct.`. */
export function requestAttributes(document: TraceDocument): Attributes {
  const { request, response, route, application, times, exception, queries } = document;
  const [path = '', ...query] = request.target.split('?');
  const [serverAddress, serverPort] = addressOf(request.host);
  const [clientAddress, clientPort] = addressOf(request.client);
  const agent = request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1];
  const isKnown = METHODS.has(request.method);
  const status = response?.status ?? 0;
  return {
    'http.request.method': isKnown ? request.method : '_OTHER',
    ...(isKnown ? {} : { 'http.request.method_original': request.method }),
    'url.scheme': request.scheme,
    'url.path': path,
    ...(query.length === 0 ? {} : { 'url.query': query.join('?') }),
    'network.protocol.name': 'http',
    'network.protocol.version': versionOf(request.protocol),
    ...known('server.address', serverAddress),
    ...known('server.port', serverPort),
    ...known('client.address', clientAddress),
    ...known('client.port', clientPort),
    ...known('user_agent.original', agent ?? ''),
    ...known('http.route', route?.name ?? ''),
    ...known('http.response.status_code', status),
    ...(status >= 500 || exception !== null ? { 'error.type': exception?.type ?? `${status}` } : {}),
    ...(request.bodyBytes < 0 ? {} : { 'http.request.body.size': request.bodyBytes }),
    ...(response === null ? {} : { 'http.response.body.size': response.bodyBytes }),
    'viaduct.request.id': document.id,
    'viaduct.kept': document.kept,
    ...known('viaduct.reason', response?.reason ?? ''),
    ...known('viaduct.application', application?.name ?? ''),
    ...known('viaduct.worker.pid', application?.worker ?? 0),
    ...known('thread.name', application?.thread ?? ''),
    'viaduct.queue_us': times.queueUs,
    'viaduct.python_us': times.pythonUs,
    'viaduct.own_us': times.ownUs,
    'viaduct.queries': queries.count,
  };
}

/** The attributes of a part: those of the conventions for databases, HTTP clients and code, and what else is known with `viaduct.` before it. */
export function spanAttributes({ kind, name, attributes, file, line }: Span): Attributes {
  const { sql, vendor, method, url, host, status, error, ...others } = attributes;
  const own: Attributes = { 'viaduct.kind': kind };
  for (const [key, value] of Object.entries(others)) own[`viaduct.${key}`] = value;
  if (kind === 'query') {
    Object.assign(own, known('db.query.text', sql ?? name), known('db.system.name', systemOf(vendor)));
  } else if (sql !== undefined) own['viaduct.sql'] = sql;
  if (kind === 'http-client' || kind === 'backend') {
    Object.assign(own, known('http.request.method', method ?? ''), known('url.full', url ?? ''));
    Object.assign(own, known('server.address', host ?? ''), known('http.response.status_code', Number(status ?? 0)));
  } else if (status !== undefined) own['viaduct.status'] = status;
  if (kind === 'template') own['viaduct.template.name'] = name;
  return {
    ...own,
    ...(isError(error) ? { 'error.type': errorTypeOf(error) } : {}),
    ...known('code.file.path', file),
    ...known('code.line.number', line),
  };
}

/** The names that the conventions have for databases, for the words of Django and of drivers. */
const SYSTEMS: Readonly<Record<string, string>> = {
  oracle: 'oracle.db',
  mssql: 'microsoft.sql_server',
  microsoft: 'microsoft.sql_server',
};

function systemOf(vendor: string | number | boolean | undefined): string {
  const name = String(vendor ?? 'other_sql').toLowerCase();
  return SYSTEMS[name] ?? name;
}

/** An attribute that is left out if its value is '' or 0. */
function known(name: string, value: string | number | boolean): Attributes {
  return value === '' || value === 0 || Number.isNaN(value) ? {} : { [name]: value };
}

/** `1.1` for `HTTP/1.1`, `2` for `HTTP/2.0`. */
function versionOf(protocol: string): string {
  return protocol.replace(/^HTTP\//, '').replace(/^([23])\.0$/, '$1');
}

/** Host and port of `example.org:8000` and `[::1]:8000`; '' and 0 for what is missing. */
function addressOf(text: string): [address: string, port: number] {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return [bracketed ?? plain, Number(port ?? 0)];
}

/** Whether the attribute `error` of a span says that it failed. */
export function isError(error: string | number | boolean | undefined): error is string | number | true {
  return error !== undefined && error !== false && error !== '';
}

/** The class of an exception; `_OTHER` for a sentence, because the conventions want few values. The status of the span has the text. */
function errorTypeOf(error: string | number | boolean): string {
  return /^[A-Za-z_][\w.]*(?=: |$)/.exec(String(error))?.[0] ?? '_OTHER';
}
