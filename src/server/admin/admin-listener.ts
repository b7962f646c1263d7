import { describeThrown, ViaductError } from '../../errors.ts';
import { Http1Server } from '../../http/http1/http1-server.ts';
import { CidrList } from '../../http/semantics/cidr.ts';
import type { HttpLimits } from '../../http/transport/limits.ts';
import { type Address, parseAddress } from '../../listen/address.ts';
import { Listener } from '../../listen/listener.ts';
import type { Log } from '../../log/log.ts';
import { adminApi, type Scrape } from './admin-api.ts';

/** Some programs that collect metrics, and people. */
const CONNECTIONS_MAX = 32;
const LIMITS: Partial<HttpLimits> = {
  requestLineBytesMax: 4096,
  headerBytesMax: 16_384,
  bodyBytesMax: 0,
  headerTimeoutMs: 5000,
  /** Longer than the usual time between two scrapes, so that one connection serves them all. */
  keepAliveTimeoutMs: 120_000,
  writeTimeoutMs: 15_000,
};
const LOOPBACK = CidrList.parse(['loopback']);

/** The open admin listeners of a server. */
export interface RunningAdmin {
  readonly urls: readonly string[];
  close(): void;
}

/**
 * Listens on `addresses` for programs that collect metrics. Nothing stays open when one of them cannot be bound.
 *
 * @throws ViaductError `LISTEN` with the reason
 */
export async function startAdmin(addresses: readonly string[], scrape: Scrape, log: Log): Promise<RunningAdmin> {
  const open: { readonly listener: Listener; readonly connections: Http1Server }[] = [];
  const close = (): void => {
    for (const { listener, connections } of open.splice(0)) {
      listener.close();
      connections.destroy();
    }
  };
  for (const text of addresses) {
    const address = parseAddress(text);
    const connections = new Http1Server({
      handle: adminApi(scrape, address.kind === 'tcp' ? [address.host.toLowerCase()] : null),
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
      throw cannotListen(text, error);
    }
    open.push({ listener, connections });
    if (isPublic(address))
      log.warn(
        `The admin listener ${listener.url} is open to the network: every client that can connect reads the metrics, without a password`,
      );
  }
  return { urls: open.map(({ listener }) => listener.url), close };
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
