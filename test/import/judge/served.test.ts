import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { type Place, preparePlace } from './place.ts';
import { judgeServed } from './served.ts';

/** A slice of `npm run judge -- --served`, the same each time. */
const FIRST_SEED = 500;
const CONFIGURATIONS = 24;

describe('a server with imported settings', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let place: Place;

  before(async () => {
    place = await preparePlace(suite);
  });

  it(`gives what nginx gives, unless the report names the place, for ${CONFIGURATIONS} configurations`, async () => {
    let probes = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + CONFIGURATIONS; seed += 1) {
      const served = await judgeServed(suite, seed, place);
      assert.deepEqual(served.unreported, [], `seed ${seed}`);
      probes += served.probes;
    }
    assert.ok(probes > 10 * CONFIGURATIONS, `${probes} probes are too few`);
  });
});
