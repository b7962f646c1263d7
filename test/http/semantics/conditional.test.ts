import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkConditions, rangeApplies, readConditions } from '../../../src/http/semantics/conditional.ts';

const FILE = { etag: '"abc"', modifiedSeconds: 784_111_777 };
const SAME = 'Sun, 06 Nov 1994 08:49:37 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';

describe('conditional fields', () => {
  it('are found in any case, and other fields are ignored', () => {
    equal(readConditions(['Host', 'x', 'Referer', 'y', 'If-Unknown', 'z']), null);
    deepEqual(readConditions(['if-none-match', '"a"', 'RANGE', 'bytes=0-1', 'Host', 'x']), {
      ifNoneMatch: '"a"',
      range: 'bytes=0-1',
    });
  });

  it('are joined to one list when a name repeats', () => {
    deepEqual(readConditions(['If-None-Match', '"a"', 'If-None-Match', '"b"']), { ifNoneMatch: '"a","b"' });
  });
});

describe('RFC 9110 section 13.1.1: If-Match', () => {
  const check = (ifMatch: string, more = {}) => checkConditions({ ifMatch, ...more }, FILE);
  it('passes when one of the tags is the same, or with *', () => {
    equal(check('"abc"'), 0);
    equal(check('"x", "abc"'), 0);
    equal(check('*'), 0);
  });
  it('gives 412 when no tag is the same', () => {
    equal(check('"x"'), 412);
    equal(check('abc'), 412);
    equal(check(''), 412);
  });
  it('compares strongly: a weak tag never matches', () => equal(check('W/"abc"'), 412));
  it('overrides If-Unmodified-Since', () => equal(check('"abc"', { ifUnmodifiedSince: EARLIER }), 0));
});

describe('RFC 9110 section 13.1.2: If-None-Match', () => {
  const check = (ifNoneMatch: string, more = {}) => checkConditions({ ifNoneMatch, ...more }, FILE);
  it('gives 304 when one of the tags is the same, or with *', () => {
    equal(check('"abc"'), 304);
    equal(check('"x" ,\t"abc"'), 304);
    equal(check(', ,"abc",'), 304);
    equal(check('*'), 304);
  });
  it('compares weakly', () => equal(check('"x", W/"abc"'), 304));
  it('passes when no tag is the same', () => {
    equal(check('"x"'), 0);
    equal(check('""'), 0);
    equal(check('"abc'), 0);
    equal(check('abc'), 0);
    equal(check('"*"'), 0);
    equal(check('w/"abc"'), 0);
  });
  it('treats a comma inside a tag as a part of the tag', () => {
    equal(check('"x,"abc","'), 0);
    equal(checkConditions({ ifNoneMatch: '"a,b"' }, { ...FILE, etag: '"a,b"' }), 304);
  });
  it('overrides If-Modified-Since', () => equal(check('"x"', { ifModifiedSince: LATER }), 0));
  it('counts only when If-Match passes', () => equal(check('"abc"', { ifMatch: '"x"' }), 412));
});

describe('RFC 9110 section 13.1.3: If-Modified-Since', () => {
  const check = (ifModifiedSince: string) => checkConditions({ ifModifiedSince }, FILE);
  it('gives 304 when the file did not change after that date', () => {
    equal(check(SAME), 304);
    equal(check(LATER), 304);
    equal(check('Sunday, 06-Nov-94 08:49:37 GMT'), 304);
    equal(check('Sun Nov  6 08:49:37 1994'), 304);
  });
  it('passes when the file changed after that date', () => equal(check(EARLIER), 0));
  it('is ignored when it is not exactly one valid date', () => {
    equal(check('tomorrow'), 0);
    equal(check('0'), 0);
    equal(check(`${SAME}, ${SAME}`), 0);
  });
  it('is ignored when the date of the file is unknown', () => {
    equal(checkConditions({ ifModifiedSince: LATER }, { ...FILE, modifiedSeconds: null }), 0);
  });
});

describe('RFC 9110 section 13.1.4: If-Unmodified-Since', () => {
  const check = (ifUnmodifiedSince: string) => checkConditions({ ifUnmodifiedSince }, FILE);
  it('gives 412 when the file changed after that date', () => equal(check(EARLIER), 412));
  it('passes when the file did not change after that date', () => {
    equal(check(SAME), 0);
    equal(check(LATER), 0);
  });
  it('is ignored when it is not a valid date', () => equal(check('a while ago'), 0));
});

describe('RFC 9110 section 13.1.5: If-Range', () => {
  it('applies Range when it is absent or names this version', () => {
    equal(rangeApplies(undefined, FILE), true);
    equal(rangeApplies('"abc"', FILE), true);
    equal(rangeApplies(SAME, FILE), true);
  });
  it('ignores Range when it names an earlier or later version', () => {
    equal(rangeApplies('"x"', FILE), false);
    equal(rangeApplies(EARLIER, FILE), false);
    equal(rangeApplies(LATER, FILE), false);
  });
  it('ignores Range when it is a weak tag, a list, or neither a tag nor a date', () => {
    equal(rangeApplies('W/"abc"', FILE), false);
    equal(rangeApplies('"abc", "x"', FILE), false);
    equal(rangeApplies('*', FILE), false);
    equal(rangeApplies('', FILE), false);
    equal(rangeApplies(SAME, { ...FILE, modifiedSeconds: null }), false);
  });
});
