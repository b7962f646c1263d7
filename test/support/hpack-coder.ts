import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lifetime } from './lifetime.ts';
import { PYTHON_WITH_PACKAGES, ROOT } from './viaduct.ts';

/** Name, value, and whether it is never indexed. Each character is an octet. */
export type Field = readonly [name: string, value: string, neverIndexed: boolean];

export interface PlainSection {
  readonly fields: readonly Field[];
  readonly huffman: boolean;
  /** What the decoder allows from this section on. */
  readonly tableBytes?: number;
}

export interface EncodedSection {
  readonly octets: string;
  readonly tableBytes?: number;
}

/** The Python package `hpack`, as another opinion about HPACK. A story is a sequence of sections over one table. */
export interface HpackCoder {
  /** The octets of each section in hexadecimal digits. */
  encode(story: readonly PlainSection[]): Promise<string[]>;
  /** The fields of each section. The last one may be the reason why a section is wrong. */
  decode(story: readonly EncodedSection[]): Promise<(Field[] | string)[]>;
}

/** Starts one Python process for all stories of a lifetime. */
export function startHpackCoder(t: Lifetime): HpackCoder {
  const child = spawn(PYTHON_WITH_PACKAGES ?? 'python3', [join(ROOT, 'test/support/hpack_coder.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.after(() => {
    child.stdin.end();
  });
  const ask = async (story: unknown) => {
    child.stdin.write(`${JSON.stringify(story)}\n`);
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the Python process ended');
    return JSON.parse(value);
  };
  return { encode: (story) => ask({ encode: story }), decode: (story) => ask({ decode: story }) };
}
