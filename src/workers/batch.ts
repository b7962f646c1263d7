import type { Socket } from 'node:net';
import { LIST, MarshalWriter, putUint32 } from './marshal.ts';
import type { PendingRequest } from './pending-request.ts';
import { WorkerHeaderCache } from './worker-header-cache.ts';

/** Length of the batch (u32), then the head of the list. */
const HEAD_BYTES = 9;
/** Bodies up to this size are copied into the batch. Larger ones are written after it without a copy. */
const INLINE_BYTES_MAX = 16384;

/** Collects the requests for a lane during one turn of the event loop, and sends them in one write. */
export class Batch {
  readonly headerCache = new WorkerHeaderCache();
  readonly #socket: Socket;
  #writer = new MarshalWriter();
  #count = 0;
  #dropped = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  add(pending: PendingRequest): void {
    if (this.#count === 0) {
      this.#writer.reset(HEAD_BYTES);
      setImmediate(flushBatch, this);
    }
    this.#count += 1;
    pending.write(this.#writer, this.headerCache);
    const { body } = pending;
    if (body === null || body.path !== null) return;
    if (body.length > INLINE_BYTES_MAX) this.#send(body.blocks, body.length);
    else for (const block of body.blocks) this.#writer.raw(block);
  }

  /** Called once by the event loop for each started batch. */
  flush(): void {
    if (this.#count > 0) this.#send([], 0);
  }

  /** Stops sending, because the lane is closed. */
  drop(): void {
    this.#dropped = true;
  }

  /** Sends the batch. Its last item ends with `blocks`. */
  #send(blocks: readonly Uint8Array[], length: number): void {
    const { bytes, end } = this.#writer;
    putUint32(bytes, 0, end - 4 + length);
    bytes[4] = LIST;
    putUint32(bytes, 5, this.#count);
    this.#count = 0;
    if (this.#dropped) return;
    const socket = this.#socket;
    if (length > 0) socket.cork();
    socket.write(bytes.subarray(0, end));
    for (const block of blocks) socket.write(block);
    if (length > 0) socket.uncork();
    if (socket.writableLength > 0) this.#writer = new MarshalWriter(); // the kernel did not take everything, so the buffer is still in use
  }
}

function flushBatch(batch: Batch): void {
  batch.flush();
}
