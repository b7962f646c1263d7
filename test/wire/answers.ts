/** One answer from the wire. Strings are latin-1. */
export interface Answer {
  readonly status: number;
  /** Names in lower case: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface Answers {
  readonly interim: readonly number[];
  readonly final: readonly Answer[];
  /** What follows the last complete answer: '' or the start of another. */
  readonly rest: string;
}

/**
 * Cuts `received` into answers by RFC 9112 section 6.3. `methods` are the methods of the requests in order, because the answer to HEAD has
 * no content. `ended` means that the server has closed, which is the end of content without framing.
 *
 * @throws Error for octets that are not a strictly valid answer.
 */
export function readAnswers(received: string, methods: readonly string[], ended: boolean): Answers {
  const interim: number[] = [];
  const final: Answer[] = [];
  let rest = received;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const { status, headers } = readHead(rest.slice(0, end + 2));
    const after = rest.slice(end + 4);
    if (status < 200) {
      interim.push(status);
      rest = after;
      continue;
    }
    const content = readContent(after, status, headers, methods[final.length] ?? 'GET', ended);
    if (content === null) break;
    final.push({ status, headers, body: content.body });
    rest = content.rest;
  }
  return { interim, final, rest };
}

/** All values of the field, in order. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name.toLowerCase());
}

function readHead(head: string): { status: number; headers: string[] } {
  const [line = '', ...fields] = head.split('\r\n').slice(0, -1);
  const status = /^HTTP\/1\.[01] ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/.exec(line)?.[1];
  if (status === undefined) throw new Error(`not a status line: ${JSON.stringify(line)}`);
  const headers = fields.flatMap((text) => {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)$/.exec(
      text,
    );
    if (match === null) throw new Error(`not a field line: ${JSON.stringify(text)}`);
    return [(match[1] as string).toLowerCase(), (match[2] as string).trimEnd()];
  });
  return { status: Number(status), headers };
}

function readContent(
  after: string,
  status: number,
  headers: readonly string[],
  method: string,
  ended: boolean,
): { body: string; rest: string } | null {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (lengths.length + codings.length > 1) throw new Error('the answer is framed twice');
  if (method === 'HEAD' || status === 204 || status === 304) return { body: '', rest: after };
  if (codings.length > 0) return readChunks(after);
  if (lengths.length > 0) {
    const length = Number(lengths[0]);
    return after.length < length ? null : { body: after.slice(0, length), rest: after.slice(length) };
  }
  return ended ? { body: after, rest: '' } : null;
}

function readChunks(after: string): { body: string; rest: string } | null {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = after.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const digits = after.slice(at, lineEnd);
    if (!/^[0-9A-Fa-f]+$/.test(digits)) throw new Error(`not a chunk size: ${JSON.stringify(digits)}`);
    const size = Number.parseInt(digits, 16);
    const dataEnd = lineEnd + 2 + size;
    if (after.length < dataEnd + 2) return null;
    if (after.slice(dataEnd, dataEnd + 2) !== '\r\n') throw new Error('a chunk does not end with CRLF');
    body += after.slice(lineEnd + 2, dataEnd);
    at = dataEnd + 2;
    if (size === 0) return { body, rest: after.slice(at) };
  }
}
