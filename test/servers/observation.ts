/** What a server did with a request. */
export interface Observation {
  /** `200`, or what happened instead. */
  readonly status: string;
  /** The reason phrase. */
  readonly reason: string;
  /** `HTTP/1.1`. */
  readonly version: string;
  /** Statuses of interim responses. */
  readonly interim: readonly number[];
  /** Number of final responses. */
  readonly answers: number;
  /** How the content is delimited. */
  readonly framing: 'length' | 'chunked' | 'close' | 'none';
  /** Whether the server closed the connection afterwards. */
  readonly closed: boolean;
  /** The content, without chunks; empty for a report. */
  readonly content: string;
  /** Whether the content ended as its framing says. */
  readonly complete: boolean;
  /** Field lines but for Date's value, lengths and the framing. */
  readonly fields: readonly string[];
  /** The variables that the application saw; null if it sent no report. */
  readonly environ: Readonly<Record<string, unknown>> | null;
  /** What the application read. */
  readonly read: unknown;
}

const NOTHING: Observation = {
  status: 'no response',
  reason: '',
  version: '',
  interim: [],
  answers: 0,
  framing: 'none',
  closed: false,
  content: '',
  complete: false,
  fields: [],
  environ: null,
  read: null,
};

/** Interprets what came on a connection, as latin-1. */
export function interpret(octets: string, isHead: boolean, closed: boolean): Observation {
  const interim: number[] = [];
  let rest = octets;
  let first: { observation: Observation; rest: string } | null = null;
  let answers = 0;
  while (rest !== '') {
    const head = /^HTTP\/(\d\.\d) (\d{3})(?: ([^\r\n]*))?\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (head === null) break;
    const status = Number(head[2]);
    rest = rest.slice(head[0].length);
    if (status < 200) {
      interim.push(status);
      continue;
    }
    answers += 1;
    const parsed = readContent(
      rest,
      (head[4] ?? '').split('\r\n').slice(0, -1),
      isHead || status === 204 || status === 304,
    );
    first ??= {
      observation: {
        ...NOTHING,
        ...parsed.observation,
        version: `HTTP/${head[1]}`,
        status: `${status}`,
        reason: head[3] ?? '',
      },
      rest: parsed.rest,
    };
    rest = parsed.rest;
    if (parsed.observation.framing === 'close') break;
  }
  if (first === null) return { ...NOTHING, closed, interim, status: silence(octets, interim) };
  const { observation } = first;
  const tail = answers === 1 ? first.rest : '';
  const content = observation.content + tail;
  return { ...withReport({ ...observation, content }), interim, answers, closed };
}

function silence(octets: string, interim: readonly number[]): string {
  if (octets === '') return 'no response';
  return interim.length > 0 ? 'no final response before the content comes' : 'no HTTP/1 response';
}

/** Whether nothing more can come than the end of the connection. */
export function isComplete(octets: string, isHead: boolean, answers: number): boolean {
  const seen = interpret(octets, isHead, false);
  return seen.complete && seen.framing !== 'close' && seen.answers >= answers;
}

function readContent(
  rest: string,
  lines: readonly string[],
  isEmpty: boolean,
): { observation: Pick<Observation, 'framing' | 'content' | 'complete' | 'fields'>; rest: string } {
  const value = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const length = value('content-length');
  const isChunked = value('transfer-encoding')?.toLowerCase() === 'chunked';
  const framing = isChunked ? 'chunked' : length === undefined ? (isEmpty ? 'none' : 'close') : 'length';
  const fields = lines.map(shownField);
  if (isEmpty) return { observation: { framing, content: '', complete: true, fields }, rest };
  if (framing === 'chunked') {
    const { content, complete, after } = dechunk(rest);
    return { observation: { framing, content, complete, fields }, rest: after };
  }
  if (framing === 'close') return { observation: { framing, content: rest, complete: true, fields }, rest: '' };
  const content = rest.slice(0, Number(length));
  return {
    observation: { framing, content, complete: content.length === Number(length), fields },
    rest: rest.slice(Number(length)),
  };
}

function dechunk(octets: string): { content: string; complete: boolean; after: string } {
  let content = '';
  let rest = octets;
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(rest);
    if (size === null) return { content, complete: false, after: rest };
    const length = Number.parseInt(size[1] ?? '', 16);
    rest = rest.slice(size[0].length);
    if (length === 0) return { content, complete: rest.startsWith('\r\n'), after: rest.slice(2) };
    content += rest.slice(0, length);
    if (rest.length < length + 2) return { content, complete: false, after: '' };
    rest = rest.slice(length + 2);
  }
}

/** Takes what the application saw out of the content. */
function withReport(observation: Observation): Observation {
  try {
    const { environ, content } = JSON.parse(observation.content) as {
      environ: Record<string, unknown>;
      content: unknown;
    };
    if (typeof environ !== 'object') return observation;
    return { ...observation, content: '', environ, read: content };
  } catch {
    return observation;
  }
}

/** A field line without what differs from run to run. */
function shownField(line: string): string {
  const [name = '', ...value] = line.split(':');
  const isOwn = line.includes('1970');
  if (name.toLowerCase() === 'date') return isOwn ? 'Date: of the application' : 'Date';
  if (name.toLowerCase() === 'content-length') return 'Content-Length';
  return `${name}:${value.join(':')}`;
}
