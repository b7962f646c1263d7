import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './viaduct.ts';

/** Makes a record as `recorder.py` does, from spans, hops, rows of the environ and nanoseconds, which are easier to read. */
const PRELUDE = `
import marshal, sys

def record(v, start, end, thread, shared, environ, log, spans, hops, **more):
    if type(environ) is list:
        shared, environ = marshal.dumps(environ), {}
    log = log_of(spans, hops) if log is None else log
    log = [value / 1e9 if type(value) is int else value for value in log]
    return [v, start / 1e9, end / 1e9, thread, shared, environ, log, more]

def log_of(spans, hops):
    log = []
    def emit(index):
        kind, name, start, end, _, attributes, file, line = spans[index]
        log.extend([marshal.dumps((kind, name, file, line)), start, attributes])
        for other, span in enumerate(spans):
            if span[4] == index:
                emit(other)
        for span, direction, _, status, fields in hops:
            if span == index:
                log.extend([start, 0, (fields,) if direction == 'request' else (status, fields)])
        if end:
            log.extend([start, end, None])
    for index, span in enumerate(spans):
        if span[4] == -1:
            emit(index)
    return log
`;

/** What Python's `marshal.dumps(EXPRESSION, version)` returns. */
export function marshalled(expression: string, version = 4): Uint8Array {
  const code = `${PRELUDE}\nsys.stdout.buffer.write(marshal.dumps(${expression}, ${version}))`;
  return new Uint8Array(execFileSync(join(ROOT, '.setup/venv/bin/python'), ['-c', code]));
}

/** The record of a request, as a Python expression: `parts` replace those of an empty one. */
export function recordOf(parts: Readonly<Record<string, string>> = {}): string {
  const record: Record<string, string> = {
    v: '3',
    start: '1_000_000_000',
    end: '1_010_000_000',
    thread: '"MainThread"',
    spans: '[]',
    shared: 'b""',
    environ: 'None',
    hops: '[]',
    log: 'None',
    exception: 'None',
    profile: 'None',
    dropped: '0',
    ...parts,
  };
  return `record(${Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')})`;
}
