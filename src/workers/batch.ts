import type { Socket } from 'node:net';
import { LIST, MarshalWriter, putUint32 } from './marshal.ts';
import type { PendingRequest } from './pending-request.ts';
import type { ReceivedBody } from './request-body.ts';
import { WorkerHeaderCache } from './worker-header-cache.ts';

/** Length of the batch (u32), then the head of the list. */
const HEAD_BYTES = 9;
/** Bodies up to this size are copied into the batch; `form-memory.ts` relies on it. Larger ones are written after it without a copy. */
const INLINE_BYTES_MAX = 16384;

/** Free writers that are kept, each with the memory of the largest batch that it has written. */
const SPARE_MAX = 8;

const spare: MarshalWriter[] = [];
const NOTHING = new Uint8Array(0);

/** Collects the requests for a lane during one turn of the event loop, and sends them in one write. */
export class Batch {
  readonly headerCache: WorkerHeaderCache;
  readonly #socket: Socket;
  /** Only while there are requests: a lane at rest has no memory. */
  #writer: MarshalWriter | null = null;
  #count = 0;
  #dropped = false;

  /** `sectionsMax`: how many sections the thread behind the lane may keep. */
  constructor(socket: Socket, sectionsMax: number) {
    this.#socket = socket;
    this.headerCache = new WorkerHeaderCache(sectionsMax);
  }

  add(pending: PendingRequest): void {
    const writer = this.#writer ?? this.#begin();
    this.#count += 1;
    pending.write(writer, this.headerCache);
    const { body } = pending;
    if (body !== null && body.path === null) {
      if (body.length > INLINE_BYTES_MAX) {
        this.#sendLarge(writer, pending, body);
        return;
      }
      for (const block of body.blocks) writer.raw(block);
    }
    pending.writeEnd(writer);
  }

  /** Sends the batch with the large body of its last item, and with what follows that. */
  #sendLarge(writer: MarshalWriter, pending: PendingRequest, { blocks, length }: ReceivedBody): void {
    if (pending.request.record.trace === null) {
      this.#send(writer, blocks, length);
      return;
    }
    const end = new MarshalWriter();
    end.reset(0);
    pending.writeEnd(end);
    this.#send(writer, [...blocks, end.bytes.subarray(0, end.end)], length + end.end);
  }

  /** Called once by the event loop for each started batch. */
  flush(): void {
    if (this.#writer !== null) this.#send(this.#writer, [], 0);
  }

  /** Stops sending, because the lane is closed. */
  drop(): void {
    this.#dropped = true;
  }

  #begin(): MarshalWriter {
    const writer = spare.pop() ?? new MarshalWriter();
    writer.reset(HEAD_BYTES);
    this.#writer = writer;
    setImmediate(flushBatch, this);
    return writer;
  }

  /** Sends the batch. Its last item ends with `blocks`. */
  #send(writer: MarshalWriter, blocks: readonly Uint8Array[], length: number): void {
    const { bytes, end } = writer;
    this.#writer = null;
    putUint32(bytes, 0, end - 4 + length);
    bytes[4] = LIST;
    putUint32(bytes, 5, this.#count);
    this.#count = 0;
    if (this.#dropped) {
      keep(writer);
      return;
    }
    const socket = this.#socket;
    if (length > 0) socket.cork();
    socket.write(bytes.subarray(0, end));
    for (const block of blocks) socket.write(block);
    if (length > 0) socket.uncork();
    // While the kernel has not taken everything, the writer's memory is in use.
    if (socket.writableLength > 0) socket.write(NOTHING, () => keep(writer));
    else keep(writer);
  }
}

function flushBatch(batch: Batch): void {
  batch.flush();
}

function keep(writer: MarshalWriter): void {
  if (spare.length < SPARE_MAX) spare.push(writer);
}
