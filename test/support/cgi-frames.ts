import type { CgiProtocol } from '../../src/listen/address.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

/** The variables that every request of a front-end proxy has. */
export const USUAL: Pairs = [
  ['CONTENT_LENGTH', '0'],
  ['REQUEST_METHOD', 'GET'],
  ['REQUEST_URI', '/'],
  ['PATH_INFO', '/'],
  ['QUERY_STRING', ''],
  ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ['SERVER_NAME', 'test.example'],
  ['SERVER_PORT', '80'],
  ['REMOTE_ADDR', '192.0.2.7'],
  ['REMOTE_PORT', '4711'],
  ['HTTP_HOST', 'test.example'],
];

/** The usual variables with `changes`. A change to null leaves the variable out. */
export function variablesOf(changes: Readonly<Record<string, string | null>> = {}): Pairs {
  const all = new Map(USUAL);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) all.delete(name);
    else all.set(name, value);
  }
  return [...all];
}

/** The octets of a whole request over `protocol`, as latin-1. `keep` asks FastCGI to keep the connection. */
export function encodeRequest(protocol: CgiProtocol, variables: Pairs, content = '', keep = false): string {
  switch (protocol) {
    case 'uwsgi': {
      const packet = variables.map(([name, value]) => u16(name.length) + name + u16(value.length) + value).join('');
      return `\0${u16(packet.length)}\0${packet}${content}`;
    }
    case 'scgi': {
      const netstring = [...variables, ['SCGI', '1']].map(([name, value]) => `${name}\0${value}\0`).join('');
      return `${netstring.length}:${netstring},${content}`;
    }
    case 'fastcgi': {
      const pairs = variables.map(([name, value]) => length(name) + length(value) + name + value).join('');
      const stream = content === '' ? '' : record(5, content);
      return (
        record(1, `\0\x01${keep ? '\x01' : '\0'}\0\0\0\0\0`) + record(4, pairs) + record(4, '') + stream + record(5, '')
      );
    }
  }
}

/** A FastCGI record with some padding. */
export function record(type: number, content: string, id = 1): string {
  const padding = content.length % 8;
  const head = String.fromCharCode(1, type, 0, id, content.length >> 8, content.length & 0xff, padding, 0);
  return head + content + '\0'.repeat(padding);
}

function u16(number: number): string {
  return String.fromCharCode(number & 0xff, number >> 8);
}

function length({ length: size }: string): string {
  if (size < 128) return String.fromCharCode(size);
  return String.fromCharCode(0x80 | (size >>> 24), (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff);
}

/** The FastCGI records that a client received. */
export interface Records {
  readonly stdout: string;
  readonly ended: boolean;
  /** Protocol status of the END_REQUEST record; -1 before it. */
  readonly status: number;
  readonly types: readonly number[];
}

/** Reads FastCGI records from `octets`, which are latin-1. */
export function readRecords(octets: string): Records {
  let stdout = '';
  let ended = false;
  let status = -1;
  const types: number[] = [];
  const bytes = Buffer.from(octets, 'latin1');
  for (let at = 0; at + 8 <= bytes.length; ) {
    const [type = 0, size] = [bytes[at + 1], bytes.readUInt16BE(at + 4)];
    const content = bytes.subarray(at + 8, at + 8 + size);
    types.push(type);
    if (type === 6) stdout += content.toString('latin1');
    if (type === 3) {
      ended = true;
      status = content[4] ?? -1;
    }
    at += 8 + size + (bytes[at + 6] ?? 0);
  }
  return { stdout, ended, status, types };
}
