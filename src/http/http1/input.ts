const NOTHING = Buffer.alloc(0);
const SPARE_MIN = 1024;

/**
 * The bytes that a connection has received and not used yet: `bytes` from `at` to `end`. A block from the socket is valid only for the time
 * of one call, because all sockets receive into the same memory; `keep` copies the unused part. The memory for kept parts grows by
 * doubling, so that a client that sends byte by byte does not cause more copying than others.
 */
export class Input {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  #lent = false;

  get length(): number {
    return this.end - this.at;
  }

  /** Adds the first `length` bytes of `block`. Without kept bytes this does not copy. */
  lend(block: Buffer, length: number): void {
    if (this.at < this.end) {
      this.#append(block, length);
      return;
    }
    this.bytes = block;
    this.at = 0;
    this.end = length;
    this.#lent = true;
  }

  /** Ends the loan: copies the unused part of the block, or releases all memory if everything is used. */
  keep(): void {
    if (this.at === this.end) this.clear();
    else if (this.#lent) this.#move(this.length);
  }

  clear(): void {
    this.bytes = NOTHING;
    this.at = 0;
    this.end = 0;
    this.#lent = false;
  }

  #append(block: Buffer, length: number): void {
    if (this.end + length > this.bytes.length) this.#move(2 * (this.length + length));
    block.copy(this.bytes, this.end, 0, length);
    this.end += length;
  }

  /** Moves the unused bytes to memory of this connection, with room for `size` bytes. */
  #move(size: number): void {
    const copy = Buffer.allocUnsafeSlow(Math.max(SPARE_MIN, size));
    this.bytes.copy(copy, 0, this.at, this.end);
    this.end = this.length;
    this.at = 0;
    this.bytes = copy;
    this.#lent = false;
  }
}
