import type { Fields, Log } from './log.ts';

/** Lines of one address in a window. A client that is refused more often is known by then. */
const ADDRESS_LINES_MAX = 20;
/** Lines of all addresses in a window. It bounds the memory too. */
const LINES_MAX = 200;
const WINDOW_MS = 10_000;

export type Refused = 'request' | 'connection';

/**
 * Writes a line into the log for each request and connection that the server refuses, so that programs such as fail2ban can act on the
 * address, which is always the last field. The number of lines in 10 seconds is limited; the lines that are left out are counted.
 */
export class RefusalLog {
  readonly #log: Log;
  readonly #isProxy: (address: string) => boolean;
  readonly #onRefused: (what: Refused, reason: string) => void;
  /** Lines in the current window by address. */
  readonly #lines = new Map<string, number>();
  #total = 0;
  #leftOut = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `isProxy`: whether an address ('' on a Unix socket) is that of a front-end proxy, which must not be blocked for what its clients do. `onRefused` is called for each refusal, with a line or without. */
  constructor(
    log: Log,
    isProxy: (address: string) => boolean,
    onRefused: (what: Refused, reason: string) => void = () => {},
  ) {
    this.#log = log;
    this.#isProxy = isProxy;
    this.#onRefused = onRefused;
  }

  /** `reason` must not contain text of the client. */
  request(status: number, reason: string, address: string): void {
    this.#onRefused('request', reason);
    this.#write(address, `A request was refused: ${reason}`, { status });
  }

  /** What a front-end proxy sent over a CGI protocol is not a request. */
  proxiedRequest(reason: string, address: string): void {
    this.#onRefused('request', reason);
    this.#write(address, `A request of a front-end proxy was refused: ${reason}`, {});
  }

  connection(reason: string, address: string): void {
    this.#onRefused('connection', reason);
    this.#write(address, `A connection was refused: ${reason}`, {});
  }

  /** Nearly all of the descriptors that the process may have are in use. Node does not report the connections that this prevents. */
  exhausted(limit: number): void {
    const message = 'Nearly all file descriptors are in use: further connections are closed';
    if (this.#count(message, 1)) this.#log.warn(message, { limit });
  }

  /** Reports now how many lines were left out. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#lines.clear();
    this.#total = 0;
    if (this.#leftOut > 0)
      this.#log.warn('Refused requests and connections have no lines: there were too many', { entries: this.#leftOut });
    this.#leftOut = 0;
  }

  #write(address: string, message: string, fields: Fields): void {
    if (!this.#count(address, ADDRESS_LINES_MAX)) this.#leftOut += 1;
    else if (address === '') this.#log.info(message, fields);
    else this.#log.info(message, { ...fields, [this.#isProxy(address) ? 'proxy_address' : 'remote_address']: address });
  }

  /** Whether the window has room for a line about `key`. */
  #count(key: string, max: number): boolean {
    this.#timer ??= setTimeout(() => this.flush(), WINDOW_MS).unref();
    const lines = this.#lines.get(key) ?? 0;
    if (lines >= max || this.#total >= LINES_MAX) return false;
    this.#lines.set(key, lines + 1);
    this.#total += 1;
    return true;
  }
}
