export interface HttpRequest {
  readonly method?: string;
  readonly version?: '1.0' | '1.1';
  /** `test.example` by default. */
  readonly host?: string;
  /** Fields after `Host`, as `[name, value]` in latin-1. They are sent as they are. */
  readonly headers?: readonly (readonly [string, string])[];
  /** Sent with a Content-Length, unless `headers` frame it in another way. */
  readonly body?: string | Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  /** In the order received, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  /** Decoded, as latin-1. */
  readonly body: string;
  /** False if the connection ended before the end that the head announced. */
  readonly whole: boolean;
  readonly framing: 'length' | 'chunked' | 'close' | 'none';
  /** Value of the first field with this lower-case name; null if there is none. */
  header(name: string): string | null;
}

/** The octets of a request with `Connection: close`. */
export function encode(target: string, request: HttpRequest = {}): Buffer {
  const { method = 'GET', version = '1.1', host = 'test.example', headers = [], body } = request;
  const lines = [`${method} ${target} HTTP/${version}`, `Host: ${host}`, 'Connection: close'];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const content = body === undefined ? Buffer.alloc(0) : typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  if (body !== undefined && !framed) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
}

/** Parses the octets of one final response, as latin-1, by RFC 9112 section 6.3. Skips interim responses before it. */
export function parseAnswer(octets: string, method: string): HttpAnswer {
  let rest = octets;
  while (/^HTTP\/1\.1 1\d\d /.test(rest)) rest = rest.slice(rest.indexOf('\r\n\r\n') + 4);
  const headEnd = rest.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = rest.slice(0, Math.max(0, headEnd)).split('\r\n');
  const [, code = '0', reason = ''] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine) ?? [];
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const header = (name: string) => headers.find(([other]) => other === name)?.[1] ?? null;
  const status = Number(code);
  const content = headEnd < 0 ? '' : rest.slice(headEnd + 4);
  const common = { status, reason, headers, header };
  if (headEnd < 0) return { ...common, body: '', whole: false, framing: 'none' };
  if (method === 'HEAD' || status === 204 || status === 304)
    return { ...common, body: content, whole: content === '', framing: 'none' };
  if (header('transfer-encoding') === 'chunked') return { ...common, ...decodeChunks(content), framing: 'chunked' };
  const length = header('content-length');
  if (length === null) return { ...common, body: content, whole: true, framing: 'close' };
  return { ...common, body: content, whole: content.length === Number(length), framing: 'length' };
}

function decodeChunks(content: string): { body: string; whole: boolean } {
  let body = '';
  let at = 0;
  for (;;) {
    const line = /^([0-9a-f]+)\r\n/i.exec(content.slice(at, at + 20));
    if (line === null) return { body, whole: false };
    const size = Number.parseInt(line[1] as string, 16);
    at += line[0].length;
    if (size === 0) return { body, whole: content.slice(at) === '\r\n' };
    body += content.slice(at, at + size);
    at += size + 2;
    if (content.slice(at - 2, at) !== '\r\n') return { body, whole: false };
  }
}
