import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './viaduct.ts';

/** What Python's `marshal.dumps(EXPRESSION, version)` returns. */
export function marshalled(expression: string, version = 4): Uint8Array {
  const code = `import marshal, sys; sys.stdout.buffer.write(marshal.dumps(${expression}, ${version}))`;
  return new Uint8Array(execFileSync(join(ROOT, '.setup/venv/bin/python'), ['-c', code]));
}

/** The record of a request, as a Python expression: `parts` replace those of an empty one. */
export function recordOf(parts: Readonly<Record<string, string>> = {}): string {
  const record: Record<string, string> = {
    v: '2',
    start: '1_000_000_000',
    end: '1_010_000_000',
    thread: '"MainThread"',
    spans: '[]',
    shared: 'b""',
    environ: 'None',
    hops: '[]',
    start_response: '[]',
    exception: 'None',
    profile: 'None',
    dropped: '0',
    ...parts,
  };
  return `{${Object.entries(record)
    .map(([name, value]) => `"${name}": ${value}`)
    .join(', ')}}`;
}
