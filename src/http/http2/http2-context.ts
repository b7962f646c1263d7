import { type ConnectionOptions, ServerContext } from '../transport/server-context.ts';
import {
  ENABLE_CONNECT_PROTOCOL,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  NO_RFC7540_PRIORITIES,
} from './frames.ts';
import type { HeaderField } from './hpack/header-field.ts';
import { RequestSectionReader } from './request-section.ts';

/** Content that a client may send ahead on all streams of a connection. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** What each field counts in addition to its bytes (RFC 9113 section 6.5.2). */
const FIELD_BYTES = 32;
/** Room for pseudo-header fields, and for cookies, which arrive one by one. */
const SPARE_FIELDS = 64;

/** The state that all HTTP/2 connections of a server share. */
export class Http2Context extends ServerContext {
  readonly windowBytes = CONNECTION_WINDOW_BYTES;
  /** A longer header section ends its connection: the compression has state, so a section cannot be skipped. */
  readonly sectionBytesMax: number;
  /** Limits of one header section after decompression. */
  readonly listBytesMax: number;
  readonly fieldsMax: number;
  /** What the client learns first. */
  readonly settings: readonly (readonly [key: number, value: number])[];
  readonly sectionReader: RequestSectionReader;
  /** The fields of the section that is being read. */
  readonly fields: HeaderField[] = [];

  constructor(options: ConnectionOptions, tickMs: number | null = null) {
    super(options, tickMs);
    const { headerBytesMax, headerCountMax, requestLineBytesMax, http2StreamsMax } = this.limits;
    this.sectionReader = new RequestSectionReader(this.limits);
    this.sectionBytesMax = 2 * headerBytesMax + requestLineBytesMax;
    this.fieldsMax = 2 * headerCountMax + SPARE_FIELDS;
    this.listBytesMax = 2 * headerBytesMax + requestLineBytesMax + FIELD_BYTES * this.fieldsMax;
    this.settings = [
      [MAX_CONCURRENT_STREAMS, http2StreamsMax],
      [MAX_HEADER_LIST_SIZE, this.listBytesMax],
      [ENABLE_CONNECT_PROTOCOL, 1],
      [NO_RFC7540_PRIORITIES, 1],
    ];
  }
}
