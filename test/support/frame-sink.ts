import type { FrameSink, FrameWriter } from '../../src/http/http2/frame-writer.ts';

/** A sink that has not written anything before `finish`, as a socket whose client does not read. */
export class HoldingSink implements FrameSink {
  readonly chunks: Buffer[] = [];
  readonly #callbacks: (() => void)[] = [];

  cork(): void {}

  uncork(): void {}

  write(bytes: Buffer, onWritten?: () => void): boolean {
    this.chunks.push(bytes);
    if (onWritten !== undefined) this.#callbacks.push(onWritten);
    return true;
  }

  /** Returns a copy of everything. From now on the memory belongs to the writer again. */
  finish(): Buffer[] {
    const copies = this.chunks.splice(0).map((chunk) => Buffer.from(chunk));
    for (const onWritten of this.#callbacks.splice(0)) onWritten();
    return copies;
  }
}

/** What `writer` has, in the pieces that a socket would get. */
export function writtenBy(writer: FrameWriter): Buffer[] {
  const sink = new HoldingSink();
  writer.writeTo(sink);
  return sink.finish();
}
