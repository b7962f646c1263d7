import type { BodySink, BodySource } from '../../http/message.ts';
import type { TraceSummary } from '../../trace/store.ts';

/** So many traces wait for a slow reader: the newest. */
const WAITING_MAX = 200;
/** A comment keeps the connection open through proxies, and finds out that a client has left. */
const HEARTBEAT = ': still here\n\n';

/** What a feed needs of those who feed it. */
export interface FeedOwner {
  add(feed: EventFeed): void;
  remove(feed: EventFeed): void;
}

/**
 * One reader of the server-sent events (WHATWG HTML, section 9.2). While it does not read, only the newest state is kept for it: the last
 * overview, and the last traces.
 */
export class EventFeed implements BodySource {
  readonly #owner: FeedOwner;
  #sink: BodySink | null = null;
  #isPaused = false;
  #overview = '';
  #requests: TraceSummary[] = [];

  constructor(owner: FeedOwner) {
    this.#owner = owner;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    sink.write(Buffer.from('retry: 2000\n\n'));
    this.#owner.add(this);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#flush();
  }

  cancel(): void {
    this.#sink = null;
    this.#owner.remove(this);
  }

  /** `json` replaces an overview that was not sent yet. */
  overview(json: string): void {
    this.#overview = json;
    this.#flush();
  }

  /** The newest first. */
  requests(summaries: readonly TraceSummary[]): void {
    this.#requests = [...summaries, ...this.#requests].slice(0, WAITING_MAX);
    this.#flush();
  }

  heartbeat(): void {
    if (!this.#isPaused) this.#sink?.write(Buffer.from(HEARTBEAT));
  }

  /** The server stops. */
  end(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }

  #flush(): void {
    if (this.#isPaused || this.#sink === null) return;
    let text = '';
    if (this.#requests.length > 0) text += event('requests', JSON.stringify(this.#requests));
    if (this.#overview !== '') text += event('overview', this.#overview);
    this.#requests = [];
    this.#overview = '';
    if (text !== '') this.#sink.write(Buffer.from(text));
  }
}

/** JSON has no line break, so it is one line of data. */
function event(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}
