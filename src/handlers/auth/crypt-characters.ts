const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The lowest `6 * count` bits of `word` in the characters of crypt(3), the lowest bits first. */
export function cryptCharacters(word: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i += 1) text += ALPHABET[(word >> (6 * i)) & 63];
  return text;
}
