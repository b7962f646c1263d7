import type { Directive } from '../tree.ts';

/** A text as a string of its bytes in UTF-8: each character is one byte. */
export function bytesOf(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text that a string of bytes is in UTF-8. */
export function textOf(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Directives with arguments as strings of bytes. Their texts for messages stay as they are. */
export function inBytes(directives: readonly Directive[]): readonly Directive[] {
  return directives.map((directive) => ({
    ...directive,
    args: directive.args.map(bytesOf),
    block: directive.block === null ? null : inBytes(directive.block),
  }));
}
