import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTraceParent, parseTraceParent } from '../../src/trace/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('parseTraceParent', () => {
  it('reads what formatTraceParent writes', () => {
    assert.deepEqual(parseTraceParent(formatTraceParent(TRACE, SPAN)), {
      traceId: TRACE,
      parentId: SPAN,
      isSampled: true,
    });
  });

  it('reads the flag for recorded requests among other flags', () => {
    assert.equal(parseTraceParent(`00-${TRACE}-${SPAN}-00`)?.isSampled, false);
    assert.equal(parseTraceParent(`00-${TRACE}-${SPAN}-03`)?.isSampled, true);
  });

  it('accepts later versions with more at their end (section 3.2.4)', () => {
    assert.equal(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.traceId, TRACE);
  });

  for (const text of [
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    ` 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseTraceParent(text), null));
});
