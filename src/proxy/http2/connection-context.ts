import type { Backend } from '../backend.ts';
import type { TickClock } from '../tick-clock.ts';
import type { ResponseSectionReader } from './response-section.ts';

/** What the connections to one backend share. */
export interface ConnectionContext {
  readonly backend: Backend;
  readonly clock: TickClock;
  readonly sectionReader: ResponseSectionReader;
  /** Limits of one header section: as it is sent, after decompression, and the number of its fields. */
  readonly sectionBytesMax: number;
  readonly listBytesMax: number;
  readonly fieldsMax: number;
}
