import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pairQueries, pairSpans } from '../../../ui/model/comparison.ts';
import { EXPLANATIONS } from '../../../ui/model/explanations.ts';
import { findingsOf } from '../../../ui/model/findings.ts';
import { flameBoxes, hottest } from '../../../ui/model/flame.ts';
import { changesByHop, compareFields } from '../../../ui/model/header-changes.ts';
import { djangoTrace } from '../fixtures/django.ts';
import { killedTrace, staticTrace } from '../fixtures/others.ts';

const slow = djangoTrace({ id: 'slow', loop: 38 });
const good = djangoTrace({ id: 'good', loop: 1 });

describe('two requests', () => {
  it('have their spans side by side, by kind and name', () => {
    const pairs = pairSpans(good, slow);
    const loop = pairs.find(({ leftCount, rightCount }) => leftCount === 1 && rightCount === 38);
    equal(loop?.kind, 'query');
    ok(pairs.every(({ leftCount, rightCount }) => leftCount + rightCount > 0));
    equal(pairs.filter(({ name }) => name === 'CommonMiddleware').length, 1);
  });

  it('may have spans that the other one does not have', () => {
    const pairs = pairSpans(staticTrace('a'), killedTrace('b'));
    const python = pairs.find(({ kind }) => kind === 'python');
    deepEqual([python?.leftUs, python?.leftCount, python?.rightCount], [null, 0, 1]);
    equal(pairs.find(({ name }) => name === 'staticFiles')?.rightUs, null);
  });

  it('have their queries compared, the largest difference first', () => {
    const [first] = pairQueries(good, slow);
    deepEqual([first?.leftCount, first?.rightCount], [1, 38]);
  });
});

describe('the changes of headers', () => {
  it('are found without regard to case, with all values of a name', () => {
    const changes = compareFields(
      [
        ['Vary', 'Cookie'],
        ['Set-Cookie', 'a=1'],
        ['X-Old', '1'],
        ['Date', 'now'],
      ],
      [
        ['vary', 'Cookie, Accept'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-New', '2'],
        ['Date', 'now'],
      ],
    );
    deepEqual(
      changes.map(({ name, change }) => `${name} ${change}`),
      ['vary changed', 'Set-Cookie changed', 'X-Old removed', 'Date same', 'X-New added'],
    );
    deepEqual(changes[1]?.after, ['a=1', 'b=2']);
  });

  it('belong to the hop that made them', () => {
    const timing = changesByHop(slow.hops).find(({ hop }) => hop.name === 'middleware TimingMiddleware');
    deepEqual(
      timing?.changes.map(({ name, change }) => `${name} ${change}`),
      ['Cache-Control changed', 'X-View-Time added'],
    );
    equal(changesByHop(slow.hops).filter(({ isFirst }) => isFirst).length, 2);
  });
});

describe('what stands out', () => {
  it('names the N+1 and the hop that changed a header', () => {
    const titles = findingsOf(slow).map(({ title }) => title);
    deepEqual(titles, [
      'N+1: 38 similar queries from one line',
      '1 duplicate query',
      'middleware TimingMiddleware changed Cache-Control',
    ]);
  });

  it('starts with the exception, at the line of the project', () => {
    const [first] = findingsOf(djangoTrace({ id: 'x', loop: 12, failed: true }));
    match(first?.title ?? '', /^catalogue\.models\.Engineer\.DoesNotExist: /);
    deepEqual([first?.file, first?.line], ['/srv/bridges/catalogue/views.py', 37]);
  });

  it('names the hop with most of the time', () => {
    match(
      findingsOf(killedTrace('k'))
        .map(({ title }) => title)
        .join(),
      /worker killed,Slowest: worker thread worker 3/,
    );
  });
});

describe('a flame graph', () => {
  const boxes = flameBoxes({
    intervalUs: 1000,
    stacks: [
      { frames: ['a', 'b'], samples: 3 },
      { frames: ['a', 'c'], samples: 6 },
      { frames: ['a'], samples: 1 },
    ],
  });

  it('has one box for what stacks share, and the widest first', () => {
    deepEqual(
      boxes.map(({ frame, depth, left, samples }) => [frame, depth, left, samples]),
      [
        ['a', 0, 0, 10],
        ['c', 1, 0, 6],
        ['b', 1, 0.6, 3],
      ],
    );
  });

  it('knows where the thread was most', () => {
    deepEqual(hottest(boxes, 2), [
      { frame: 'c', samples: 6 },
      { frame: 'b', samples: 3 },
    ]);
  });
});

describe('the explanations', () => {
  for (const [kind, { what, elsewhere }] of Object.entries(EXPLANATIONS))
    it(`say in two sentences what ${kind} is, and what other servers have there`, () => {
      equal(what.match(/[.?](?= |$)/g)?.length, 2, what);
      ok(elsewhere.length > 20);
    });
});
