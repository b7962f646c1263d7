/** `length` bytes of content that belong to `token`, from `offset` on: the token as four bytes, again and again. */
export function pattern(token: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(4);
  for (let i = 0; i < 4; i += 1) bytes[i] = (token >>> (8 * ((offset + i) & 3))) & 255;
  return Buffer.alloc(length, bytes);
}
