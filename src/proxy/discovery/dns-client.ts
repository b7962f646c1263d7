import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, isIP } from 'node:net';
import { type DnsAnswer, decodeAnswer, encodeQuery, type RecordType } from './dns-message.ts';

const PORT = 53;
const TIMEOUT_MS = 2000;
const ATTEMPTS = 2;
const TCP_BYTES_MAX = 65535;

interface Server {
  readonly host: string;
  readonly port: number;
}

/**
 * Queries DNS servers for records with their TTL, which Node's own resolver does not return for SRV. When a server
 * fails or does not answer within two seconds, the next server is queried.
 */
export class DnsClient {
  readonly #servers: readonly Server[] | null;

  /** `servers` are numeric addresses, with a port other than 53 where needed; null for the servers of the system. */
  constructor(servers: readonly string[] | null) {
    this.#servers = servers?.map(parseServer) ?? null;
  }

  /** @throws Error with the reason when no server answers. */
  async ask(name: string, type: RecordType): Promise<DnsAnswer> {
    const servers = this.#servers ?? getServers().map(parseServer);
    let reason = 'no DNS server is configured';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      for (const server of servers) {
        try {
          const answer = await this.#askServer(server, name, type);
          if (answer.code === 0 || answer.code === 3) return answer;
          reason = `the server answered with code ${answer.code}`;
        } catch (error) {
          reason = (error as Error).message;
        }
      }
    }
    throw new Error(reason);
  }

  async #askServer(server: Server, name: string, type: RecordType): Promise<DnsAnswer> {
    const id = randomInt(0x10000);
    const query = encodeQuery(id, name, type);
    if (query === null) throw new Error('it is not a valid host name');
    const read = (bytes: Buffer): DnsAnswer | null => {
      const answer = decodeAnswer(bytes, name, type);
      return answer !== null && answer.id === id ? answer : null;
    };
    const answer = await overUdp(server, query, read);
    return answer.truncated ? overTcp(server, query, read) : answer;
  }
}

/** Ignores packets that do not answer the query, because anybody could have sent them. */
function overUdp({ host, port }: Server, query: Buffer, read: (bytes: Buffer) => DnsAnswer | null): Promise<DnsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const timer = setTimeout(() => end(() => reject(new Error('no answer in time'))), TIMEOUT_MS);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('message', (bytes) => {
      const answer = read(bytes);
      if (answer !== null) end(() => resolve(answer));
    });
    socket.connect(port, host, () => socket.send(query));
  });
}

/** RFC 1035 section 4.2.2: each message follows its length. */
function overTcp({ host, port }: Server, query: Buffer, read: (bytes: Buffer) => DnsAnswer | null): Promise<DnsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.setTimeout(TIMEOUT_MS, () => fail('no answer in time'));
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('the connection closed without an answer'));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length < Math.min(end, TCP_BYTES_MAX)) return;
      const answer = read(received.subarray(2, end));
      socket.removeAllListeners('close');
      if (answer === null) fail('the answer is malformed');
      else {
        socket.destroy();
        resolve(answer);
      }
    });
  });
}

/** Parses `127.0.0.1`, `127.0.0.1:5353`, `::1` and `[::1]:5353`. */
function parseServer(text: string): Server {
  if (isIP(text) > 0) return { host: text, port: PORT };
  const [, address, v4, port] = /^(?:\[(.*)\]|([\d.]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = address ?? v4 ?? '';
  if (isIP(host) === 0) throw new Error(`"${text}" is not a numeric address`);
  return { host, port: Number(port) };
}
