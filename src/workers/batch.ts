import type { Socket } from 'node:net';
import { LIST, MarshalWriter, putUint32 } from './marshal.ts';
import type { Job } from './pending-request.ts';
import { LaneMemory } from './worker-header-cache.ts';

/** Length of the batch u32, then the list's head. */
const HEAD_BYTES = 9;
/** Bodies up to this ride in the batch; larger ones are written beside it, without a copy. */
const INLINE_BYTES_MAX = 16384;

/** The requests that one turn of the event loop has for a lane: they leave together, in one write. */
export class Batch {
  readonly memory = new LaneMemory();
  readonly #socket: Socket;
  #writer = new MarshalWriter();
  #count = 0;
  #dropped = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  add(job: Job): void {
    if (this.#count === 0) {
      this.#writer.reset(HEAD_BYTES);
      setImmediate(flushBatch, this);
    }
    this.#count += 1;
    job.write(this.#writer, this.memory);
    const { body } = job;
    if (body === null || body.path !== null) return;
    if (body.length > INLINE_BYTES_MAX) this.#send(body.blocks, body.length);
    else for (const block of body.blocks) this.#writer.raw(block);
  }

  /** Called by the event loop once a turn. */
  flush(): void {
    if (this.#count > 0) this.#send([], 0);
  }

  /** Sends nothing any more: the lane is closed. */
  drop(): void {
    this.#dropped = true;
  }

  /** Sends the batch, whose last item ends with `blocks`. */
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
    if (socket.writableLength > 0) this.#writer = new MarshalWriter(); // the kernel did not take it all: it is still in use
  }
}

function flushBatch(batch: Batch): void {
  batch.flush();
}
