import type { ServerSessionOptions } from 'node:http2';
import { type ConnectionOptions, ServerContext } from '../transport/server-context.ts';
import { RequestFields } from './request-fields.ts';

/** Requests of one connection that may be answered at once; browsers open up to 100. */
const STREAMS_MAX = 128;
/** Content that a client may send ahead on one stream, and on all of a connection. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** Megabytes that the engine may hold for one connection. */
const SESSION_MEGABYTES_MAX = 32;
/** Frames that break the protocol, and streams past the limit, before the engine ends a connection. */
const INVALID_FRAMES_MAX = 500;
const REJECTED_STREAMS_MAX = 200;
const SETTINGS_PER_FRAME_MAX = 32;
/** Pseudo-header fields, and room to answer a section that is somewhat too long with 431. */
const SPARE_FIELDS = 64;

/** What all HTTP/2 connections of a server share. */
export class Http2Context extends ServerContext {
  readonly streamsMax = STREAMS_MAX;
  readonly windowBytes = CONNECTION_WINDOW_BYTES;
  /** A longer header section ends its connection: compression keeps state, so it cannot be passed over. */
  readonly sectionBytesMax: number;
  readonly sessionOptions: ServerSessionOptions;
  /** Lent to one request at a time. */
  readonly fields: RequestFields;

  constructor(options: ConnectionOptions, tickMs: number | null = null) {
    super(options, tickMs);
    const { headerBytesMax, headerCountMax } = this.limits;
    this.fields = new RequestFields(this.limits);
    this.sectionBytesMax = 2 * headerBytesMax;
    this.sessionOptions = {
      maxSessionInvalidFrames: INVALID_FRAMES_MAX,
      maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
      maxSettings: SETTINGS_PER_FRAME_MAX,
      maxSessionMemory: SESSION_MEGABYTES_MAX,
      maxHeaderListPairs: 2 * headerCountMax + SPARE_FIELDS,
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: 2 * headerBytesMax + 32 * headerCountMax,
      },
    };
  }
}
