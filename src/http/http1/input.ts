const NOTHING = Buffer.alloc(0);
const SPARE_MIN = 1024;

/**
 * What a connection has received and not used yet: `bytes` from `at` to `end`. A block from the socket is lent for the time of one call,
 * because all sockets receive into the same memory; what is then left of it must be kept. Kept pieces grow by doubling, so that a
 * client that sends byte by byte costs no more copying than any other.
 */
export class Input {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  #lent = false;

  get length(): number {
    return this.end - this.at;
  }

  /** Takes the first `length` of `block` in, without a copy where nothing is kept. */
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

  /** Ends the loan: copies what is left of the block, and holds on to no memory when nothing is. */
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

  /** Moves what is left to memory of its own with room for `size` bytes. */
  #move(size: number): void {
    const own = Buffer.allocUnsafeSlow(Math.max(SPARE_MIN, size));
    this.bytes.copy(own, 0, this.at, this.end);
    this.end = this.length;
    this.at = 0;
    this.bytes = own;
    this.#lent = false;
  }
}
