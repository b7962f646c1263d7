import { execFile } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { Connections } from '../../src/http/http1/http1-server.ts';
import type { Peer } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { parseAddress } from '../../src/listen/address.ts';
import type { ArrivalOptions } from '../../src/listen/connection-acceptor.ts';
import { Listener } from '../../src/listen/listener.ts';
import { type TerminatorOptions, TlsTerminator } from '../../src/listen/tls/tls-terminator.ts';
import type { Pair } from './certificates.ts';

export interface TlsServer {
  readonly port: number;
  readonly listener: Listener;
  /** Null without TLS. */
  readonly terminator: TlsTerminator;
  /** Why connections were refused before they had a protocol. */
  readonly refused: readonly string[];
  /** Resolves with the next refusal. */
  nextRefusal(): Promise<string>;
}

export type ServerOptions = Partial<Omit<ArrivalOptions, 'tls'>> & {
  readonly tls?: Partial<TerminatorOptions> | null;
  readonly address?: string;
};

/** A listener in this process. Over HTTP/1.1 each request is answered with its peer as JSON, HTTP/2 with the word `h2`. */
export async function startTlsServer(t: TestContext, options: ServerOptions): Promise<TlsServer> {
  const { tls = null, address = '127.0.0.1:0', ...arrival } = options;
  const connections = new Connections({
    handle: (request) => Response.text(200, JSON.stringify(request.peer)),
    limits: {},
    onAnswered: null,
    onError: () => {},
  });
  const standard = { hosts: [], clientCertificates: 'off', clientCa: null, http2: true } as const;
  const terminator = new TlsTerminator({ ...standard, ...tls });
  if (tls !== null) terminator.load();
  const refused: string[] = [];
  const waiting: ((reason: string) => void)[] = [];
  const onRefused = (reason: string) => {
    refused.push(reason);
    waiting.shift()?.(reason);
  };
  const listener = new Listener(
    { index: 3, proxyProtocol: null, onRefused, ...arrival, address: parseAddress(address), tls: tls && terminator },
    { http1: connections, http2: { accept: answerHttp2 }, gateway: null },
  );
  t.after(() => {
    listener.close();
    connections.destroy();
  });
  await listener.listen();
  const nextRefusal = () => new Promise<string>((resolve) => waiting.push(resolve));
  return { port: Number(listener.serverPort), listener, terminator, refused, nextRefusal };
}

function answerHttp2(socket: Duplex, _listener: number, peer: Peer | null): void {
  socket.on('error', () => {});
  socket.resume();
  socket.end(`h2 secure=${peer?.secure}`);
}

/** `pair` for clients that name no host. */
export function hostWith(...pairs: readonly Pair[]): { names: string[]; certificates: readonly Pair[] } {
  return { names: [], certificates: pairs };
}

/** Runs curl; resolves with what it wrote to both outputs and its status. */
export function curl(...args: readonly string[]): Promise<{ readonly out: string; readonly status: number }> {
  return run('curl', ['--silent', '--show-error', '--max-time', '20', ...args]);
}

/** Runs `openssl s_client` with nothing to send but `input`. */
export function sClient(port: number, args: readonly string[], input = ''): Promise<{ out: string; status: number }> {
  return run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], input);
}

function run(program: string, args: readonly string[], input = ''): Promise<{ out: string; status: number }> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 25_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ out: stdout + stderr, status });
    });
    child.stdin?.end(input);
  });
}
