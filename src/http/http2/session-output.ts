import type { HeaderList } from '../message.ts';
import { FrameWriter } from './frame-writer.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { OutgoingField } from './hpack/outgoing-field.ts';
import { type FieldList, interimFields, trailerFields } from './response-fields.ts';
import { type QueuedOutput, SendQueue } from './send-queue.ts';

/** The sending half of a connection, as its streams see it: their frames are gathered, and leave when the connection takes them. */
export class SessionOutput {
  readonly writer = new FrameWriter();
  readonly queue = new SendQueue(this.writer);
  readonly #onWriting: () => void;
  #blocks: HeaderBlocks | null = null;

  /** `onWriting` is called when there may be something to send. */
  constructor(onWriting: () => void) {
    this.#onWriting = onWriting;
  }

  /** Whether `bytes` of content of a stream can be sent at once. */
  takesNow(bytes: number): boolean {
    return this.queue.takesNow(bytes);
  }

  /** Whether the client takes nothing more of any stream. */
  get isWindowClosed(): boolean {
    return this.queue.window <= 0;
  }

  head(id: number, fields: FieldList, endsStream: boolean): void {
    this.#headerBlocks.write(this.writer, id, fields, endsStream);
    this.#onWriting();
  }

  /** Sends a header section without additions. */
  section(id: number, fields: readonly OutgoingField[], endsStream: boolean): void {
    this.#headerBlocks.writeOnce(this.writer, id, fields, endsStream);
    this.#onWriting();
  }

  /** Sends an interim response. It is left out if the client does not take what was sent before, unless the client may wait for it. */
  interim(id: number, status: number, lines: string): void {
    if (this.queue.blocked && status !== 100) return;
    this.#headerBlocks.writeOnce(this.writer, id, interimFields(status, lines), false);
    this.#onWriting();
  }

  /** Sends content for which `takesNow` returned true. */
  content(id: number, bytes: Uint8Array, endsStream: boolean): void {
    this.writer.data(id, bytes, 0, bytes.length, endsStream);
    this.queue.window -= bytes.length;
    this.#onWriting();
  }

  /** Ends a stream, with trailer fields if there are any. */
  end(id: number, trailers: HeaderList): void {
    if (trailers.length === 0) this.writer.end(id);
    else this.#headerBlocks.writeOnce(this.writer, id, trailerFields(trailers), true);
    this.#onWriting();
  }

  /** Gives up a stream (RFC 9113 section 6.4). */
  reset(id: number, code: number): void {
    this.writer.reset(id, code);
    this.#onWriting();
  }

  /** The client may send `bytes` more on a stream. */
  windowUpdate(id: number, bytes: number): void {
    this.writer.windowUpdate(id, bytes);
    this.#onWriting();
  }

  /** Sends of the content in `output` what it can, and the rest later. */
  send(output: QueuedOutput): void {
    this.queue.add(output);
    this.queue.pump();
    this.#onWriting();
  }

  forget(output: QueuedOutput): void {
    this.queue.remove(output);
  }

  /** The client's table for header sections has at most this size. */
  setTableBytesMax(bytes: number): void {
    this.#headerBlocks.encoder.setTableBytesMax(bytes);
  }

  /** Frees what only makes later responses faster. */
  rest(): void {
    this.#blocks?.forget();
  }

  get #headerBlocks(): HeaderBlocks {
    this.#blocks ??= new HeaderBlocks();
    return this.#blocks;
  }
}
