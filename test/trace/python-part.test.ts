import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Malformed } from '../../src/trace/marshal-reader.ts';
import { readPythonPart } from '../../src/trace/python-part.ts';
import { marshalled, recordOf } from '../support/payload.ts';

/** Why the record with these parts cannot be read; '' if it can. */
function reasonOf(parts: Readonly<Record<string, string>>): string {
  const part = readPythonPart(marshalled(recordOf(parts)));
  return part instanceof Malformed ? part.reason : '';
}

const SPAN = '["view", "v", 1, 2, -1, None, "", 0]';
const FRAME = '["f", 1, "g", [], 1, [], True]';

describe('readPythonPart', () => {
  it('takes as many spans, hops and frames as a worker may send, and refuses more: references make them cheap', () => {
    const exception = (count: number): string =>
      `{"type": "E", "message": "", "members": 0, "traceback": "", "chain": [], "frames": [${FRAME}] * ${count}}`;
    const hops = (count: number): string => `[(0, "request", "n", "", [])] * ${count}`;
    assert.equal(reasonOf({ spans: `[${SPAN}] * 2000`, hops: hops(200), exception: exception(100) }), '');
    for (const parts of [
      { spans: `[${SPAN}] * 2001` },
      { spans: `[${SPAN}]`, hops: hops(201) },
      { exception: exception(101) },
      {
        exception: exception(1).replace(
          '"chain": []',
          `"chain": [{"relation": "cause", "of": -1, "type": "E", "message": "", "members": 0, "frames": []}] * 17`,
        ),
      },
    ])
      assert.equal(reasonOf(parts), 'it has a list that is too long');
  });

  it('joins the variables that requests share and those of the request, which come first where both have one', () => {
    const shared = '__import__("marshal").dumps([("SERVER_NAME", "a", True), ("wsgi.run_once", "False", False)])';
    const own = '[("PATH_INFO", "/", True), ("SERVER_NAME", "b", True)]';
    const part = readPythonPart(marshalled(recordOf({ shared, environ: own })));
    assert.deepEqual(part instanceof Malformed ? part : part.environ, [
      ['SERVER_NAME', 'b', true],
      ['wsgi.run_once', 'False', false],
      ['PATH_INFO', '/', true],
    ]);
    assert.equal(reasonOf({ shared: '"text"', environ: own }), 'it has no bytes where they belong');
    assert.equal(reasonOf({ shared: 'b"["', environ: own }), 'it is cut short');
  });

  it('refuses exceptions that led to later ones', () => {
    const exception = (of: number): string =>
      `{"type": "E", "message": "", "members": 0, "traceback": "", "frames": [], "chain": [{"relation": "member", "of": ${of}, "type": "E", "message": "", "members": 0, "frames": []}]}`;
    assert.equal(reasonOf({ exception: exception(-1) }), '');
    for (const of of [0, -2, 0.5])
      assert.equal(reasonOf({ exception: exception(of) }), 'it has an exception that led to one that is not there');
  });

  it('refuses spans within later ones, and hops of spans that are not there', () => {
    assert.equal(
      reasonOf({ spans: '[["view", "v", 1, 2, 0, None, "", 0]]' }),
      'it has a span within one that is not there',
    );
    assert.equal(reasonOf({ hops: '[(0, "request", "n", "", [])]' }), 'it has a hop without a span');
  });
});
