import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { reasonPhrase } from '../../src/http/semantics/status.ts';
import { documentOf } from '../../src/trace/document-of.ts';
import { harOf } from '../../src/trace/har.ts';
import { Malformed } from '../../src/trace/marshal-reader.ts';
import { readPythonPart } from '../../src/trace/python-part.ts';
import { Trace, USUAL_DETAILS } from '../../src/trace/trace.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';

const COUNT = 200;

interface Made {
  readonly isAsRecorded: boolean;
  readonly payload: Buffer;
}

/** Records of the real recorder, every second one with changed values. */
function makeRecords(seed: number): Made[] {
  const program = join(ROOT, 'test/support/random_records.py');
  const env = { ...process.env, PYTHONPATH: join(ROOT, 'python') };
  const args = [program, `${seed}`, `${COUNT}`];
  const all = execFileSync(PYTHON_WITH_PACKAGES ?? '', args, { env, maxBuffer: 64 * 1024 * 1024 });
  const records: Made[] = [];
  for (let at = 0; at < all.length; ) {
    const end = at + 5 + all.readUInt32LE(at + 1);
    records.push({ isAsRecorded: all[at] === 'r'.charCodeAt(0), payload: all.subarray(at + 5, end) });
    at = end;
  }
  return records;
}

/** A copy that is cut, or has other bytes. */
function damaged(payload: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(payload.subarray(0, random() < 0.3 ? random() * payload.length : payload.length));
  for (let changes = random() * 4; changes > 1 && copy.length > 0; changes -= 1)
    copy[Math.floor(random() * copy.length)] = random() * 256;
  return copy;
}

function traceOf(payload: Buffer): Trace {
  const request = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
  const traced = { ...request, listener: '', headers: [], bodyBytes: 0 };
  const trace = new Trace('id', 'sampled', 'full', USUAL_DETAILS, traced, 1000, null);
  trace.add('handler', 'application', 1001, 1014, -1);
  trace.add('lane', 'lane', 1002, 1014, 0);
  trace.awaitPython(42);
  trace.receivePython(payload);
  trace.answered(200, 5);
  trace.endMs = 1015;
  return trace;
}

describe('records that a seed makes', { skip: NO_PACKAGES }, () => {
  it('are read if they are as recorded, and whatever they are, nothing throws and all times are bounded', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    for (const { isAsRecorded, payload } of makeRecords(seed)) {
      const part = readPythonPart(payload);
      if (isAsRecorded) {
        assert.ok(!(part instanceof Malformed), String((part as Malformed).reason));
        for (const [index, { parent, startNs }] of part.spans.entries())
          assert.ok(
            parent < index && startNs >= (part.spans[parent]?.startNs ?? 0),
            `span ${index} is within a later one`,
          );
      }
      for (const each of [payload, damaged(payload, random)]) {
        const document = documentOf(traceOf(each));
        for (const { startUs, endUs } of document.spans)
          assert.ok(Number.isFinite(startUs) && (endUs === null || endUs >= startUs), `${startUs}-${endUs}`);
        const times = Object.values(document.times);
        assert.ok(times.every((us) => us >= 0) && times.reduce((sum, us) => sum + us, 0) <= 15_000, String(times));
        assert.ok(JSON.stringify(harOf(document, '1', reasonPhrase)).length > 0);
      }
    }
  });
});
