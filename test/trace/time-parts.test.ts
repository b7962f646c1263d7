import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Span, SpanKind } from '../../src/trace/document.ts';
import { timeParts } from '../../src/trace/time-parts.ts';

function span(kind: SpanKind, startUs: number, endUs: number | null, attributes: Span['attributes'] = {}): Span {
  return { parent: -1, kind, name: '', startUs, endUs, attributes, file: '', line: 0 };
}

describe('timeParts', () => {
  it('gives each moment to one part, Python first', () => {
    const spans = [
      span('head', 0, 10),
      span('handler', 10, 90),
      span('queue', 10, 30),
      span('python', 25, 60),
      span('flush', 50, 100),
    ];
    assert.deepEqual(timeParts(spans, 110), { queueUs: 15, pythonUs: 35, backendUs: 0, clientUs: 50, ownUs: 10 });
  });

  it('counts the time before the first byte nowhere, and what has no end until the end', () => {
    const spans = [span('connection', -500, 0), span('backend', 20, null)];
    assert.deepEqual(timeParts(spans, 100), { queueUs: 0, pythonUs: 0, backendUs: 80, clientUs: 0, ownUs: 20 });
  });

  it('counts the wait behind others of a lane as queue, and the way to the worker as its own', () => {
    const spans = [span('lane', 0, 100, { behind_us: 70 }), span('python', 100, 150)];
    assert.deepEqual(timeParts(spans, 150), { queueUs: 70, pythonUs: 50, backendUs: 0, clientUs: 0, ownUs: 30 });
  });

  it('has parts whose sum is the duration, for any spans', () => {
    const kinds: readonly SpanKind[] = ['python', 'backend', 'queue', 'flush', 'content', 'handler'];
    for (let round = 0; round < 200; round += 1) {
      const spans = Array.from({ length: 20 }, (_, i) => {
        const start = Math.floor(Math.random() * 1200) - 100;
        return span(kinds[i % kinds.length] ?? 'view', start, start + Math.floor(Math.random() * 300));
      });
      const parts = timeParts(spans, 1000);
      assert.equal(
        Object.values(parts).reduce((sum, us) => sum + us, 0),
        1000,
      );
      assert.ok(Object.values(parts).every((us) => us >= 0));
    }
  });
});
