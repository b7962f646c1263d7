import { setTimeout as sleep } from 'node:timers/promises';
import type { Overview } from '../../trace/overview.ts';
import { EventFeed, type FeedOwner } from './event-feed.ts';
import type { KeptTraces, TraceCursor } from './traces.ts';

/** What readers get. */
export interface EventSourceOptions {
  readonly overview: () => Promise<Overview>;
  readonly since: (cursor: TraceCursor | null, limit: number) => Promise<KeptTraces>;
  /** Something failed; the next time may succeed. */
  readonly onError: (error: unknown) => void;
}

/** Each reader has a connection, and makes work each second. */
const READERS_MAX = 16;
const REQUESTS_EVERY_MS = 250;
/** In steps of `REQUESTS_EVERY_MS`. */
const OVERVIEW_EVERY = 4;
const HEARTBEAT_EVERY = 60;
/** How soon the end of a reader's connection is known after a write. */
const NOTICE_MS = 50;
/** So many traces are sent at once; a page that wants them all asks for the list. */
const TRACES_MAX = 200;

/** Sends all readers the same events: an overview each second, and new traces at most four times a second. Nothing runs without readers. */
export class LiveEvents implements FeedOwner {
  readonly #options: EventSourceOptions;
  readonly #feeds = new Set<EventFeed>();
  #timer: NodeJS.Timeout | null = null;
  #steps = 0;
  #cursor: TraceCursor | null = null;
  /** A step takes longer than the time until the next one if a server process is stuck. */
  #isBusy = false;
  #isClosed = false;

  constructor(options: EventSourceOptions) {
    this.#options = options;
  }

  /**
   * Resolves to a feed for one more reader, which must be started or cancelled; to null if there are too many, or the server stops. A reader that
   * has left, such as a page that was loaded again, is noticed when something is sent to it: the first write is answered with a reset, and the
   * second one fails.
   */
  async open(): Promise<EventFeed | null> {
    for (let writes = 0; writes < 2 && this.#feeds.size >= READERS_MAX; writes += 1) {
      for (const feed of this.#feeds) feed.heartbeat();
      await sleep(NOTICE_MS);
    }
    if (this.#isClosed || this.#feeds.size >= READERS_MAX) return null;
    const feed = new EventFeed(this);
    this.#feeds.add(feed); // it has its place before its response starts: others may be opened meanwhile
    return feed;
  }

  add(feed: EventFeed): void {
    if (this.#isClosed) {
      feed.end();
      return;
    }
    this.#timer ??= this.#start();
    void this.#overview([feed]);
  }

  remove(feed: EventFeed): void {
    this.#feeds.delete(feed);
    if (this.#feeds.size > 0) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#cursor = null;
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true;
    for (const feed of [...this.#feeds]) {
      feed.end();
      this.remove(feed);
    }
  }

  #start(): NodeJS.Timeout {
    this.#steps = 0;
    return setInterval(() => void this.#step(), REQUESTS_EVERY_MS).unref();
  }

  async #step(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#steps += 1;
    try {
      const { traces, cursor } = await this.#options.since(this.#cursor, TRACES_MAX);
      this.#cursor = cursor;
      if (traces.length > 0) for (const feed of this.#feeds) feed.requests(traces);
    } catch (error) {
      this.#options.onError(error);
    }
    if (this.#steps % OVERVIEW_EVERY === 0) await this.#overview(this.#feeds);
    if (this.#steps % HEARTBEAT_EVERY === 0) for (const feed of this.#feeds) feed.heartbeat();
    this.#isBusy = false;
  }

  async #overview(feeds: Iterable<EventFeed>): Promise<void> {
    try {
      const json = JSON.stringify(await this.#options.overview());
      for (const feed of feeds) feed.overview(json);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
