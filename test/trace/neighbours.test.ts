import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { neighbourNotes } from '../../src/trace/neighbours.ts';

const NOW = 1_800_000_000_500;

describe('neighbourNotes', () => {
  it('says nothing of a request without another server', () => {
    assert.deepEqual(neighbourNotes(['Host', 'via', 'Accept', '*/*'], NOW, false), []);
  });

  it('says what a server in front keeps to itself, and by which field it is known', () => {
    const [note] = neighbourNotes(['Host', 'a', 'X-Forwarded-For', '192.0.2.1'], NOW, false);
    assert.match(
      note ?? '',
      /^A server in front sent this request, as the field X-Forwarded-For says\. What its client/,
    );
  });

  for (const [who, value] of [
    ['nginx (seconds)', 't=1800000000.488'],
    ['a router (milliseconds)', '1800000000488'],
    ['Apache (microseconds)', 't=1800000000488000'],
  ] as const)
    it(`says since when ${who} had the request`, () => {
      assert.match(neighbourNotes(['x-request-start', value], NOW, false).join(), /It had the request 12\.0 ms before/);
    });

  for (const value of ['t=1800000009.000', 't=1000000000.0', 'soon', 't=', '<b>', '18000000004880000000'])
    it(`says no time for ${value}`, () => {
      assert.doesNotMatch(neighbourNotes(['X-Request-Start', value], NOW, false).join(), /before this server/);
    });

  it('says what a backend keeps to itself', () => {
    assert.match(neighbourNotes([], NOW, true).join(), /^What happened within the backend is not known: its queue/);
  });
});
