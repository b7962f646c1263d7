import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headers } from '../../../src/handlers/headers/headers.ts';
import { Response } from '../../../src/http/response.ts';
import { responseField } from '../../../src/http/response-fields.ts';
import { pass, requestOf } from '../../support/handler.ts';

describe('fields of successful responses', () => {
  const handler = headers({
    response: { set: ['X-Always', '1'] },
    success: { set: ['Cache-Control', 'max-age=60'], add: ['Link', '</a>; rel=next'] },
  });

  for (const status of [200, 201, 204, 206, 301, 302, 303, 304, 307, 308]) {
    it(`are added to ${status}`, async () => {
      const { response } = await pass(
        handler,
        requestOf(),
        Response.fromHeaders(status, ['Cache-Control', 'no-store'], null),
      );
      assert.equal(responseField(response, 'cache-control'), 'max-age=60');
      assert.equal(responseField(response, 'link'), '</a>; rel=next');
      assert.equal(responseField(response, 'x-always'), '1');
    });
  }

  for (const status of [202, 300, 400, 401, 404, 500, 503]) {
    it(`are not added to ${status}`, async () => {
      const { response } = await pass(handler, requestOf(), Response.fromHeaders(status, [], null));
      assert.equal(responseField(response, 'cache-control'), null);
      assert.equal(responseField(response, 'link'), null);
      assert.equal(responseField(response, 'x-always'), '1');
    });
  }
});
