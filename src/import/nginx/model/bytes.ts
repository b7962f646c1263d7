import type { Directive } from '../tree.ts';

/** A text as a string of its bytes in UTF-8: each character is one byte. */
export function bytesOf(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** The text that a string of bytes is in UTF-8. */
export function textOf(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** Directives with arguments as strings of bytes. Their texts for messages stay as they are. */
export function inBytes(directives: readonly Directive[]): readonly Directive[] {
  return directives.map((directive) => ({
    ...directive,
    args: directive.args.map(bytesOf),
    block: directive.block === null ? null : inBytes(directive.block),
  }));
}
