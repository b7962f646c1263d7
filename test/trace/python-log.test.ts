import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Malformed } from '../../src/trace/marshal-reader.ts';
import type { PythonLog } from '../../src/trace/python-log.ts';
import { readPythonPart } from '../../src/trace/python-part.ts';
import { marshalled, recordOf } from '../support/payload.ts';

/** The part with this log; the reason as a text if it cannot be read. */
function read(log: string): PythonLog | string {
  const part = readPythonPart(marshalled(recordOf({ log })));
  return part instanceof Malformed ? part.reason : part;
}

function logOf(log: string): PythonLog {
  const part = read(log);
  assert.ok(typeof part !== 'string', String(part));
  return part;
}

/** Kind, name, times and the name of the span around it, of each span. */
function spansOf(log: string): string[] {
  const { spans } = logOf(log);
  return spans.map(
    ({ kind, name, startNs, endNs, parent }) =>
      `${kind} ${name} ${startNs}-${endNs} in ${spans[parent]?.name ?? 'nothing'}`,
  );
}

const VIEW = '("view", "v", "views.py", 7)';
const QUERY = '("query", "q", "", 0)';
const NO_PHASE = '("", "", 0)';
const phases = (name: string): string =>
  `("middleware", "${name}", "", 0, ("before ${name}", "", 0), ("after ${name}", "", 0))`;

describe('readPythonLog', () => {
  it('finds what is within what, also where an inner span ends with the one around it', () => {
    assert.deepEqual(
      spansOf(
        `[${VIEW}, 1, None, ${QUERY}, 2, {"sql": "s"}, 2, 3, {"rows": 4}, ${QUERY}, 5, None, 1, 6, None, ${QUERY}, 7, None]`,
      ),
      ['view v 1-6 in nothing', 'query q 2-3 in v', 'query q 5-0 in v', 'query q 7-0 in nothing'],
    );
    const { spans } = logOf(`[${QUERY}, 2, {"sql": "s"}, 2, 3, {"rows": 4}]`);
    assert.deepEqual({ ...spans[0]?.attributes }, { sql: 's', rows: 4 });
  });

  it('reads descriptions that are marshalled already', () => {
    const { spans } = logOf(`[marshal.dumps(${VIEW}), 1, None]`);
    assert.deepEqual([spans[0]?.name, spans[0]?.file, spans[0]?.line], ['v', 'views.py', 7]);
  });

  it('puts nothing into a span that other work may go on beside', () => {
    assert.deepEqual(
      spansOf(`[${VIEW}, 1, None, ("signal", "s", "", 0, True), 2, None, ${QUERY}, 3, None, 3, 4, None, 2, 5, None]`),
      ['view v 1-0 in nothing', 'signal s 2-5 in v', 'query q 3-4 in v'],
    );
  });

  it('leaves a span that has ended when two parts of a view ran at the same time', () => {
    assert.deepEqual(
      spansOf(`[${VIEW}, 1, None, ${QUERY}, 2, None, ${QUERY}, 3, None, 2, 4, None, 3, 5, None, ${QUERY}, 6, None]`),
      ['view v 1-0 in nothing', 'query q 2-4 in v', 'query q 3-5 in q', 'query q 6-0 in v'],
    );
  });

  it('finds the phases of middlewares: before the next one starts, and after it has ended', () => {
    const log = `[${phases('a')}, 1, None, ${phases('b')}, 2, None, ("middleware", "", "", 0), 3, None, ${VIEW}, 4, None, 4, 5, None, 3, 6, None, 2, 7, None, 1, 8, None]`;
    assert.deepEqual(spansOf(log), [
      'middleware a 1-8 in nothing',
      'phase before a 1-2 in a',
      'middleware b 2-7 in a',
      'phase before b 2-3 in b',
      'view v 4-5 in b',
      'phase after b 6-7 in b',
      'phase after a 7-8 in a',
    ]);
    const { spans } = logOf(log);
    assert.deepEqual(
      spans.filter(({ kind }) => kind === 'phase').map(({ attributes }) => attributes.phase),
      ['request', 'request', 'response', 'response'],
    );
  });

  it('leaves the phases of middlewares alone when a view or a middleware sends a request through Django itself', () => {
    const link = '("middleware", "", "", 0)';
    const own = (from: number, first: string): string =>
      `${first}, ${from}, None, ${link}, ${from + 1}, None, ${QUERY}, ${from + 2}, None, ${from + 2}, ${from + 3}, None, ${from + 1}, ${from + 4}, None, ${from}, ${from + 5}, None`;
    const within = (from: number, first: string): string =>
      `("application", "h", "", 0), ${from}, None, ${own(from + 1, first)}, ${from}, ${from + 7}, None`;
    const asked = `${phases('a')}, 1, None, ${within(10, phases('b'))}, ${link}, 20, None, ${VIEW}, 21, None, ${within(30, phases('c'))}, 21, 40, None, 20, 41, None, ${within(50, link)}, 1, 60, None`;
    assert.deepEqual(spansOf(`[${asked}]`), [
      'middleware a 1-60 in nothing',
      'phase before a 1-20 in a',
      'application h 10-17 in before a',
      'middleware b 11-16 in h',
      'phase before b 11-12 in b',
      'query q 13-14 in b',
      'phase after b 15-16 in b',
      'view v 21-40 in a',
      'application h 30-37 in v',
      'middleware c 31-36 in h',
      'phase before c 31-32 in c',
      'query q 33-34 in c',
      'phase after c 35-36 in c',
      'phase after a 41-60 in a',
      'application h 50-57 in after a',
      'query q 53-54 in h',
    ]);
  });

  it('starts the phase after an exception when Django has made a response of it', () => {
    const answer = '("phase", "response_for_exception", "", 0, "exception")';
    const log = `[${phases('a')}, 1, None, ("middleware", "", "", 0), 2, None, ${VIEW}, 3, None, 3, 4, None, 2, 5, None, ${answer}, 6, None, ${QUERY}, 7, None, 7, 8, None, 6, 9, None, 1, 11, None]`;
    assert.deepEqual(spansOf(log), [
      'middleware a 1-11 in nothing',
      'phase before a 1-2 in a',
      'view v 3-4 in a',
      'phase response_for_exception 6-9 in a',
      'query q 7-8 in response_for_exception',
      'phase after a 9-11 in a',
    ]);
  });

  it('has no phase that does nothing, and the phase of a method by its name', () => {
    const middleware = `("middleware", "a", "", 0, ${NO_PHASE}, ${NO_PHASE})`;
    const log = `[${middleware}, 1, None, ("phase", "a.process_view", "", 0, "view"), 2, None, 2, 3, None, 1, 4, None]`;
    assert.deepEqual(spansOf(log), ['middleware a 1-4 in nothing', 'phase a.process_view 2-3 in a']);
    assert.equal(logOf(log).spans[1]?.attributes.phase, 'view');
  });

  it('has the hops that changed something, and each call of start_response', () => {
    const application = '("application", "shop.wsgi.App", "", 0)';
    const fields = '[("A", "1"), ("Set-Cookie", " b=c")]';
    const { hops, startResponse } = logOf(
      `[${application}, 1, None, ${VIEW}, 2, None, 2, 3, ("200 OK", [("A", "1"), ("Set-Cookie", "b=c")]), 1, 0, ([("B", "2")],), ` +
        `1, 0, ("200 OK", ${fields}, False), 1, 0, ("500 Internal Server Error", ${fields}, True)]`,
    );
    assert.deepEqual(
      hops.map(({ span, direction, name, status, fields: { length } }) => [span, direction, name, status, length]),
      [
        [1, 'response', 'view v', '200 OK', 2],
        [0, 'request', 'App', '', 1],
        [0, 'response', 'App', '500 Internal Server Error', 2],
      ],
    );
    assert.deepEqual(
      startResponse.map(({ caller, status, hasExcInfo }) => [caller, status, hasExcInfo]),
      [
        ['App', '200 OK', false],
        ['App', '500 Internal Server Error', true],
      ],
    );
  });

  it('names the resolution of a URL by the pattern', () => {
    const url = (pattern: string): string =>
      `[("url", "", "", 0), 1, None, 1, 2, {"pattern": "${pattern}", "name": "n"}]`;
    assert.deepEqual([url('shop/'), url('')].flatMap(spansOf), [
      'url shop/ 1-2 in nothing',
      'url the empty pattern 1-2 in nothing',
    ]);
  });

  it('refuses what no worker sends', () => {
    assert.equal(read(`[${VIEW}, 1]`), 'it has an event that is cut short');
    assert.equal(read(`[("nonsense", "", "", 0), 1, None]`), 'it has a span of an unknown kind');
    assert.equal(read('[2, 3, None]'), 'it has the end of a span that has not started');
    assert.equal(read(`[${VIEW}, 1, None, 1, 0, ([("A", 1)],)]`), 'it has no text where one belongs');
    assert.equal(read(`[${VIEW}, 1e300, None]`), 'it has no number where one belongs');
    assert.equal(read(`[${VIEW}, 1, {"a": []}]`), 'it has an attribute that is not a plain value');
    assert.equal(typeof read(`[${VIEW}, 1, None] * 12000`), 'object');
    assert.equal(read(`[${VIEW}, 1, None] * 12001`), 'it has a list that is too long');
  });

  it('keeps no more than 200 hops', () => {
    assert.equal(logOf(`[${VIEW}, 1, None] + [1, 0, ([],)] * 201`).hops.length, 200);
  });
});
