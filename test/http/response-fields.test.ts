import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mapResponse } from '../../src/http/handler.ts';
import { HAS_NEVER_INDEXED, Response } from '../../src/http/response.ts';
import { changeResponse, responseField, responseFields } from '../../src/http/response-fields.ts';

const HEADERS = [
  'Content-Type',
  'text/html',
  'Set-Cookie',
  'a=1',
  'X-Content-Type',
  'no',
  'set-cookie',
  'b=2',
  'Content-Length',
  '5',
];

function response(): Response {
  return Response.fromHeaders(200, HEADERS, Buffer.from('hello'), 'Fine');
}

describe('fields of a response', () => {
  it('are found by their full name in any case, and joined', () => {
    assert.equal(responseField(response(), 'content-type'), 'text/html');
    assert.equal(responseField(response(), 'set-cookie'), 'a=1, b=2');
    assert.equal(responseField(response(), 'cookie'), null);
    assert.deepEqual(responseFields(response()), HEADERS);
  });

  it('can be replaced, added and removed by name', () => {
    const set = changeResponse(response(), {
      set: ['SET-COOKIE', 'c=3'],
      add: ['Vary', 'Accept'],
      remove: ['content-TYPE'],
    });
    assert.deepEqual(responseFields(set), [
      ...['X-Content-Type', 'no', 'Content-Length', '5', 'SET-COOKIE', 'c=3', 'Vary', 'Accept'],
    ]);
    assert.equal(set.contentLength, 5);
    assert.equal(set.reason, 'Fine');
  });

  it('stay out of compression tables when others change', () => {
    const secret = new Response(200, '', 'X-Token: a\r\n', -1, HAS_NEVER_INDEXED, null);
    assert.equal(changeResponse(secret, { set: ['X-Other', 'b'] }).has & HAS_NEVER_INDEXED, HAS_NEVER_INDEXED);
    assert.equal(changeResponse(response(), { set: ['X-Other', 'b'] }).has & HAS_NEVER_INDEXED, 0);
  });

  it('keep content length, status and body up to date when they change', () => {
    const bare = changeResponse(response(), { remove: ['Content-Length'], status: 404, body: null });
    assert.equal(bare.contentLength, -1);
    assert.equal(bare.status, 404);
    assert.equal(bare.reason, '');
    assert.equal(bare.body, null);
    assert.throws(() => changeResponse(response(), { set: ['X', 'a\r\nb'] }), /control/);
  });
});

describe('mapResponse', () => {
  it('changes a response at once when it is available', () => {
    const result = mapResponse(response(), (original) => changeResponse(original, { status: 201 }));
    assert.ok(result instanceof Response);
    assert.equal(result.status, 201);
  });

  it('replaces a later response by another later response', async () => {
    const later = mapResponse(Promise.resolve(response()), () => Promise.resolve(Response.text(202, '')));
    assert.equal((await later).status, 202);
  });

  it('fails when the change or the original response fails', async () => {
    const failing = mapResponse(Promise.resolve(response()), () => {
      throw new Error('no');
    });
    await assert.rejects(async () => await failing, /no/);
    const failed = mapResponse(Promise.reject(new Error('before')), (original) => original);
    await assert.rejects(async () => await failed, /before/);
  });
});
