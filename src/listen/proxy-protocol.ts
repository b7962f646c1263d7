import { isIPv4, isIPv6, type Socket } from 'node:net';
import {
  attachSocket,
  type ClientSocket,
  detachSocket,
  type Receiver,
  readSocket,
} from '../http/transport/socket-reader.ts';
import { numericAddress } from './numeric-address.ts';

/** What a PROXY header says about the connection that the proxy accepted. */
export interface ProxiedClient {
  /** Numeric address. An IPv4 address is never in its IPv6 form. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The port that the client connected to. */
  readonly serverPort: string;
  /** Whether the client used TLS to the proxy. Only version 2 can say so. */
  readonly secure: boolean;
}

export interface ProxyHeader {
  /** Bytes of the header; the bytes of the client follow. */
  readonly length: number;
  /** Null when the proxy connected for itself (LOCAL) or does not know the client (UNKNOWN): then the socket's address counts. */
  readonly client: ProxiedClient | null;
}

const V1_START = 'PROXY ';
/** The longest line that version 1 allows, with its CRLF. */
const V1_BYTES_MAX = 107;
const V1_PORT = /^(?:0|[1-9]\d{0,4})$/;

const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_HEAD_BYTES = 16;
/** Far more than addresses and the additions of proxies need. */
const V2_CONTENT_BYTES_MAX = 4096;
const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
/** Address families over a byte stream, and the bytes of their addresses. */
const V2_ADDRESS_BYTES = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);
const V2_IPV4 = 0x11;
const V2_IPV6 = 0x21;
const V2_TYPE_SSL = 0x20;
const V2_CLIENT_SSL = 0x01;

/**
 * Reads a PROXY protocol header, version 1 or 2, from the start of `bytes` (HAProxy's `proxy-protocol.txt`). Returns `incomplete` while
 * `bytes` can still become a header, and `malformed` when they cannot.
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (startsLike(bytes, V2_SIGNATURE)) return parseVersion2(bytes);
  if (startsLike(bytes, Buffer.from(V1_START))) return parseVersion1(bytes);
  return 'malformed';
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function parseVersion1(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_BYTES_MAX ? 'incomplete' : 'malformed';
  const length = end + 2;
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', V1_START.length, end)
    .split(' ');
  if (family === 'UNKNOWN') return { length, client: null };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const fits =
    more.length === 0 && [source, destination].every((address) => isAddress(address) && !address.includes('%'));
  if (!fits || ![sourcePort, destinationPort].every(isPort)) return 'malformed';
  const remoteAddress = numericAddress(source) ?? source;
  const client = { remoteAddress, remotePort: Number(sourcePort), serverPort: destinationPort, secure: false };
  return { length, client };
}

function isPort(text: string): boolean {
  return V1_PORT.test(text) && Number(text) <= 65535;
}

function parseVersion2(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (bytes.length < V2_HEAD_BYTES) return 'incomplete';
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const contentLength = bytes.readUInt16BE(14);
  if ((command !== V2_LOCAL && command !== V2_PROXY) || contentLength > V2_CONTENT_BYTES_MAX) return 'malformed';
  const length = V2_HEAD_BYTES + contentLength;
  if (bytes.length < length) return 'incomplete';
  if (command === V2_LOCAL) return { length, client: null };
  const addressBytes = V2_ADDRESS_BYTES.get(family);
  if (addressBytes === undefined || addressBytes > contentLength) return 'malformed';
  const content = bytes.subarray(V2_HEAD_BYTES, length);
  const secure = usedTls(content.subarray(addressBytes));
  if (secure === 'malformed') return 'malformed';
  if (family === V2_IPV4) {
    const remoteAddress = content.subarray(0, 4).join('.');
    const serverPort = `${content.readUInt16BE(10)}`;
    return { length, client: { remoteAddress, remotePort: content.readUInt16BE(8), serverPort, secure } };
  }
  if (family !== V2_IPV6) return { length, client: null };
  const groups = Array.from({ length: 8 }, (_, i) => content.readUInt16BE(2 * i).toString(16));
  const remoteAddress = numericAddress(groups.join(':')) ?? '';
  const serverPort = `${content.readUInt16BE(34)}`;
  return { length, client: { remoteAddress, remotePort: content.readUInt16BE(32), serverPort, secure } };
}

/** Reads type, length and value of each addition. Only PP2_TYPE_SSL matters. */
function usedTls(additions: Buffer): boolean | 'malformed' {
  let secure = false;
  let at = 0;
  while (at < additions.length) {
    if (at + 3 > additions.length) return 'malformed';
    const length = additions.readUInt16BE(at + 1);
    const end = at + 3 + length;
    if (end > additions.length) return 'malformed';
    if (additions[at] === V2_TYPE_SSL && length > 0) secure = ((additions[at + 3] as number) & V2_CLIENT_SSL) !== 0;
    at = end;
  }
  return secure;
}

/** Why a connection has no valid header. */
export type ProxyFailure = 'malformed' | 'too late' | 'closed';

/**
 * Reads the PROXY header at the start of a connection, within `timeoutMs`. Calls `done` once. On success `done` gets the socket to continue
 * with, which is paused and starts with the byte after the header. Otherwise it gets a failure, and the socket is destroyed. Returns
 * the socket that reads; its destruction ends the reading.
 *
 * @param accepted a socket from a server with `pauseOnConnect`
 */
export function readProxyHeader(
  accepted: Socket,
  timeoutMs: number,
  done: (outcome: { readonly socket: Socket; readonly header: ProxyHeader } | ProxyFailure) => void,
): Socket {
  const socket = readSocket<HeaderReceiver>(accepted);
  attachSocket(socket, new HeaderReceiver(socket, timeoutMs, done));
  return socket;
}

class HeaderReceiver implements Receiver {
  readonly #socket: ClientSocket<HeaderReceiver>;
  readonly #done: Parameters<typeof readProxyHeader>[2];
  readonly #timer: NodeJS.Timeout;
  #received: Buffer = Buffer.alloc(0);
  #settled = false;

  constructor(socket: ClientSocket<HeaderReceiver>, timeoutMs: number, done: Parameters<typeof readProxyHeader>[2]) {
    this.#socket = socket;
    this.#done = done;
    this.#timer = setTimeout(() => this.#fail('too late'), timeoutMs);
  }

  receive(bytes: Buffer, length: number): void {
    if (this.#settled) return;
    this.#received = Buffer.concat([this.#received, bytes.subarray(0, length)]);
    const header = parseProxyHeader(this.#received);
    if (header === 'incomplete') return;
    if (header === 'malformed') {
      this.#fail(header);
      return;
    }
    this.#settled = true;
    clearTimeout(this.#timer);
    detachSocket(this.#socket);
    const following = this.#received.subarray(header.length);
    if (following.length > 0) this.#socket.unshift(following);
    this.#done({ socket: this.#socket, header });
  }

  inputEnded(): void {
    this.#fail('closed');
  }

  drained(): void {}

  closed(): void {
    this.#fail('closed');
  }

  #fail(failure: ProxyFailure): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#done(failure);
  }
}
