import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { describeDifference, judge } from './judge.ts';
import { type Place, preparePlace } from './place.ts';

/** A slice of `npm run judge`, the same each time. */
const FIRST_SEED = 2_024_001;
const CONFIGURATIONS = 150;
const IN_ONE_TEST = 25;

describe('the model of nginx', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let place: Place;

  before(async () => {
    place = await preparePlace(suite);
  });

  for (let first = FIRST_SEED; first < FIRST_SEED + CONFIGURATIONS; first += IN_ONE_TEST) {
    it(`answers as nginx does for the seeds ${first} to ${first + IN_ONE_TEST - 1}`, async () => {
      let [probes, unknown] = [0, 0];
      for (let seed = first; seed < first + IN_ONE_TEST; seed += 1) {
        const verdict = await judge(suite, seed, place);
        assert.equal(verdict.refused, null, `nginx refuses the configuration of the seed ${seed}`);
        assert.equal(
          verdict.difference,
          null,
          verdict.difference === null ? '' : describeDifference(verdict.difference),
        );
        probes += verdict.probes;
        for (const times of verdict.unknown.values()) unknown += times;
      }
      assert.ok(probes > 100 * IN_ONE_TEST, `${probes} probes are too few`);
      assert.ok(unknown < probes / 50, `the model does not know ${unknown} of ${probes} outcomes`);
    });
  }
});
