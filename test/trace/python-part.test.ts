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

const FRAME = '["f", 1, "g", [], 1, [], True]';

describe('readPythonPart', () => {
  it('takes as many frames as a worker may send, and refuses more: references make them cheap', () => {
    const exception = (count: number): string =>
      `{"type": "E", "message": "", "members": 0, "traceback": "", "chain": [], "frames": [${FRAME}] * ${count}}`;
    assert.equal(reasonOf({ exception: exception(100) }), '');
    for (const parts of [
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
    const own =
      '{"PATH_INFO": "/", "SERVER_NAME": "b", "a.number": 1.5, "a.none": None, "a.true": True, "a.list": ["secret"]}';
    const part = readPythonPart(marshalled(recordOf({ shared, environ: own })));
    assert.deepEqual(part instanceof Malformed ? part : part.environ, [
      ['SERVER_NAME', 'b', true],
      ['wsgi.run_once', 'False', false],
      ['PATH_INFO', '/', true],
      ['a.number', '1.5', false],
      ['a.none', 'None', false],
      ['a.true', 'True', false],
      ['a.list', '<builtins.list>', false],
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
});
