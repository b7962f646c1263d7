import { deepEqual } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withVary } from '../../../src/handlers/headers/vary.ts';
import { Response } from '../../../src/http/response.ts';
import { responseFields } from '../../../src/http/response-fields.ts';
import { valuesOf } from '../../support/handler.ts';

const CASES: readonly (readonly [before: readonly string[], names: readonly string[], after: readonly string[]])[] = [
  [[], ['Origin'], ['Origin']],
  [['Accept-Encoding'], ['Origin'], ['Accept-Encoding, Origin']],
  [['origin'], ['Origin'], ['origin']],
  [['Cookie,  ORIGIN'], ['Origin'], ['Cookie,  ORIGIN']],
  [['*'], ['Origin'], ['*']],
  [['Cookie', 'Accept'], ['Origin', 'accept'], ['Cookie, Accept, Origin']],
  [['Cookie', '*'], ['Origin'], ['Cookie', '*']],
  [['X-Origin'], ['Origin'], ['X-Origin, Origin']],
  [[''], ['Origin'], ['Origin']],
];

describe('Vary', () => {
  for (const [before, names, expected] of CASES) {
    it(`${JSON.stringify(before)} with ${names} is ${JSON.stringify(expected)}`, () => {
      const response = Response.fromHeaders(
        200,
        before.flatMap((value) => ['Vary', value]),
        null,
      );
      deepEqual(valuesOf(responseFields(withVary(response, names)), 'Vary'), expected);
    });
  }
});
