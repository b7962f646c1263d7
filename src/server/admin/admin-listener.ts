import { describeThrown, ViaductError } from '../../errors.ts';
import { Http1Server } from '../../http/http1/http1-server.ts';
import { CidrList } from '../../http/semantics/cidr.ts';
import type { HttpLimits } from '../../http/transport/limits.ts';
import { type Address, parseAddress } from '../../listen/address.ts';
import { Listener } from '../../listen/listener.ts';
import type { Log } from '../../log/log.ts';
import type { TraceApiSource } from '../trace/trace-api.ts';
import { adminApi, type Scrape } from './admin-api.ts';
import { AdminToken, loadToken } from './admin-token.ts';

/** Some programs that collect metrics, and people, whose browsers open several connections. */
const CONNECTIONS_MAX = 64;
const LIMITS: Partial<HttpLimits> = {
  requestLineBytesMax: 4096,
  headerBytesMax: 16_384,
  bodyBytesMax: 1024,
  headerTimeoutMs: 5000,
  /** Longer than the usual time between two scrapes, so that one connection serves them all. */
  keepAliveTimeoutMs: 120_000,
  writeTimeoutMs: 15_000,
};
const LOOPBACK = CidrList.parse(['loopback']);

/** The open admin listeners of a server. */
export interface RunningAdmin {
  /** For people: `http://127.0.0.1:9464/`, or `unix:PATH`. */
  readonly urls: readonly string[];
  /** The token that was made for those who come from other machines; null if nobody can, or if it is in a file. */
  readonly madeToken: string | null;
  close(): void;
}

export interface AdminOptions {
  /** As in the setting `admin`. */
  readonly addresses: readonly string[];
  /** The setting `admin_token_file`. */
  readonly tokenFile: string | null;
  readonly scrape: Scrape;
  /** What the pages show; null while the server starts. */
  readonly source: () => TraceApiSource | null;
  readonly log: Log;
}

/**
 * Listens for people who look at the pages, and for programs that collect metrics. Nothing stays open when an address cannot be bound.
 *
 * @throws ViaductError `LISTEN` with the reason, `SETTINGS` for a file without a token
 */
export async function startAdmin({ addresses, tokenFile, scrape, source, log }: AdminOptions): Promise<RunningAdmin> {
  const text = addresses.some((one) => isPublic(parseAddress(one))) ? await loadToken(tokenFile) : null;
  const token = text === null ? null : new AdminToken(text);
  const open: { readonly listener: Listener; readonly connections: Http1Server }[] = [];
  const close = (): void => {
    process.off('exit', close);
    for (const { listener, connections } of open.splice(0)) {
      listener.close();
      connections.destroy();
    }
  };
  process.on('exit', close); // a start that fails ends the process, and a Unix socket would stay
  for (const one of addresses) {
    const address = parseAddress(one);
    const connections = new Http1Server({
      handle: adminApi(scrape, source, {
        names: address.kind === 'tcp' ? [address.host.toLowerCase()] : null,
        token: isPublic(address) ? token : null,
      }),
      limits: LIMITS,
      connectionsMax: CONNECTIONS_MAX,
      onAnswered: null,
      onError: (error) => log.error(`The admin listener failed: ${describeThrown(error)}`),
    });
    const listener = new Listener(
      { address, index: 0, tls: null, proxyProtocol: null },
      new Map([['http/1.1', connections]]),
    );
    try {
      await listener.listen();
    } catch (error) {
      close();
      throw cannotListen(one, error);
    }
    open.push({ listener, connections });
    if (isPublic(address))
      log.warn(
        `The admin listener ${listener.url} is open to the network: every client that can connect reads the metrics; the pages need the token`,
      );
  }
  const urls = open.map(({ listener }) => (listener.address.kind === 'tcp' ? `${listener.url}/` : listener.url));
  return { urls, madeToken: tokenFile === null ? text : null, close };
}

function isPublic(address: Address): boolean {
  return address.kind === 'tcp' && address.host !== 'localhost' && !LOOPBACK.matches(address.host);
}

/** The same error as for `listen`, with the setting that it is about. */
function cannotListen(text: string, error: unknown): unknown {
  if (!(error instanceof ViaductError)) return error;
  const { code, message, advice, cause } = error;
  return new ViaductError(code, `${message} (admin "${text}")`, {
    advice: advice.replaceAll('--listen', '--admin'),
    cause,
  });
}
