import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { importText } from './imported-server.ts';
import { type Place, preparePlace } from './place.ts';
import { configurationOf, judgeServed } from './served.ts';

/** A slice of `npm run judge -- --served`, the same each time. */
const FIRST_SEED = 500;
const CONFIGURATIONS = 24;
/** An import without nginx takes a tenth of a second. */
const IMPORTS = 60;
const FIRST_IMPORT = 900_090;

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

  it(`are never settings that the server refuses, for ${IMPORTS} configurations`, async () => {
    for (let seed = FIRST_IMPORT; seed < FIRST_IMPORT + IMPORTS; seed += 1)
      await assert.doesNotReject(importText(place.directory, configurationOf(seed, place)), `seed ${seed}`);
  });
});
