import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One file of `valid/` or `invalid/`, as README.md defines it. Strings are latin-1: one character is one octet. */
export interface WireCase {
  readonly name: string;
  readonly kind: 'valid' | 'invalid';
  readonly rule: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly saw: readonly SeenRequest[];
  readonly answers: readonly ExpectedAnswer[];
  /** Interim statuses in order, or 'any'. */
  readonly interim: readonly number[] | 'any';
  readonly connection: 'kept' | 'closed' | 'either';
  readonly steps: readonly Step[];
}

/** A request as the application received it. Lists are flat: name, value, name, value. */
export interface SeenRequest {
  /** Method, path with query, version. */
  line: string;
  headers: string[];
  /** Authority; undefined in a case that does not check it. */
  host: string | undefined;
  body: string;
  trailers: string[];
}

export interface ExpectedAnswer {
  /** Statuses that the RFC allows; 0 means no answer at all. */
  statuses: number[];
  headers: string[];
  without: string[];
  body: string | undefined;
}

export type Step =
  | { readonly do: 'send'; readonly octets: string }
  | { readonly do: 'await'; readonly status: number }
  | { readonly do: 'end' }
  | { readonly do: 'stall' };

/** Reads all cases below `directory`, in the order of their names. Throws for a file that breaks the format. */
export function readCases(directory: string): WireCase[] {
  return (['valid', 'invalid'] as const).flatMap((kind) =>
    readdirSync(join(directory, kind))
      .filter((file) => file.endsWith('.http'))
      .sort()
      .map((file) => parseCase(kind, file.slice(0, -5), readFileSync(join(directory, kind, file), 'latin1'))),
  );
}

export function parseCase(kind: 'valid' | 'invalid', name: string, text: string): WireCase {
  const rows = text.split('\n');
  const middle = rows.indexOf('---');
  if (middle < 1) throw new Error(`${name}: there is no line "---"`);
  if (!rows[0]?.startsWith('rule: ')) throw new Error(`${name}: the first line is not "rule: …"`);
  const partial = {
    name,
    kind,
    rule: '',
    limits: {} as Record<string, number>,
    saw: [] as SeenRequest[],
    answers: [] as ExpectedAnswer[],
    interim: [] as number[] | 'any',
    connection: (kind === 'valid' ? 'kept' : 'closed') as WireCase['connection'],
    steps: parseSteps(name, rows.slice(middle + 1)),
  };
  for (const row of rows.slice(0, middle)) {
    const [, key, value] = /^([a-z-]+):(?: (.*))?$/.exec(row) ?? [];
    const read = key === undefined ? undefined : READERS[key];
    if (read === undefined) throw new Error(`${name}: cannot read the expectation "${row}"`);
    read(partial, unescaped(value ?? ''));
  }
  return partial;
}

type PartialCase = { -readonly [Key in keyof WireCase]: WireCase[Key] } & {
  limits: Record<string, number>;
  saw: SeenRequest[];
  answers: ExpectedAnswer[];
};

const READERS: Readonly<Record<string, (partial: PartialCase, value: string) => void>> = {
  rule: (partial, value) => {
    partial.rule = value;
  },
  limits: (partial, value) => {
    for (const pair of value.split(' ')) {
      const [name, number] = pair.split('=');
      if (name === undefined || !/^\d+$/.test(number ?? '')) throw new Error(`${partial.name}: bad limit "${pair}"`);
      partial.limits[name] = Number(number);
    }
  },
  saw: (partial, value) => partial.saw.push({ line: value, headers: [], host: undefined, body: '', trailers: [] }),
  header: (partial, value) => last(partial.saw).headers.push(...field(value)),
  trailer: (partial, value) => last(partial.saw).trailers.push(...field(value)),
  host: (partial, value) => {
    last(partial.saw).host = value;
  },
  body: (partial, value) => {
    last(partial.saw).body = value;
  },
  answer: (partial, value) => {
    const statuses = value.split('|').map((word) => (word === 'none' ? 0 : Number(word)));
    if (statuses.some(Number.isNaN)) throw new Error(`${partial.name}: bad answer "${value}"`);
    partial.answers.push({ statuses, headers: [], without: [], body: undefined });
  },
  'answer-header': (partial, value) => last(partial.answers).headers.push(...field(value)),
  'answer-without': (partial, value) => last(partial.answers).without.push(value),
  'answer-body': (partial, value) => {
    last(partial.answers).body = value;
  },
  interim: (partial, value) => {
    partial.interim = value === 'any' ? 'any' : value.split(' ').map(Number);
  },
  connection: (partial, value) => {
    if (value !== 'kept' && value !== 'closed' && value !== 'either')
      throw new Error(`${partial.name}: bad connection`);
    if (partial.kind === 'invalid') throw new Error(`${partial.name}: an invalid case always closes`);
    partial.connection = value;
  },
};

function parseSteps(name: string, rows: readonly string[]): Step[] {
  const steps: Step[] = [];
  let octets = '';
  const flush = (): void => {
    if (octets !== '') steps.push({ do: 'send', octets });
    octets = '';
  };
  for (const row of rows) {
    if (/[^\x20-\x7e]| $/.test(row)) throw new Error(`${name}: write "${row}" with escapes`);
    if (!row.startsWith('@')) {
      octets += unescaped(row);
      continue;
    }
    flush();
    const [word, argument] = row.slice(1).split(' ');
    if (word === 'await' && /^\d{3}$/.test(argument ?? '')) steps.push({ do: 'await', status: Number(argument) });
    else if (word === 'end' || word === 'stall') steps.push({ do: word });
    else throw new Error(`${name}: unknown instruction "${row}"`);
  }
  flush();
  return steps;
}

const SHORT: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\' };

function unescaped(text: string): string {
  return text.replace(
    /\\(?:\((\d+):((?:[^()\\]|\\\([^()]*\)|\\[^(])*)\)|x([0-9a-f]{2})|(.))/g,
    (whole: string, times?: string, repeated?: string, hex?: string, short?: string) => {
      if (times !== undefined) return unescaped(repeated ?? '').repeat(Number(times));
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const octet = SHORT[short ?? ''];
      if (octet === undefined) throw new Error(`unknown escape "${whole}"`);
      return octet;
    },
  );
}

function field(value: string): [string, string] {
  const colon = value.indexOf(':');
  return [value.slice(0, colon), value.slice(colon + 1).replace(/^ /, '')];
}

function last<T>(list: readonly T[]): T {
  const item = list.at(-1);
  if (item === undefined) throw new Error('an expectation comes before its "saw" or "answer"');
  return item;
}
