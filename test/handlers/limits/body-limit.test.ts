import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { bodyLimit } from '../../../src/handlers/limits/body-limit.ts';
import type { Handler } from '../../../src/http/handler.ts';
import { RequestBodyError } from '../../../src/http/refusal.ts';
import { Response } from '../../../src/http/response.ts';
import { compose } from '../../../src/routing/chain.ts';
import { serve, type TestServer } from '../../support/serve.ts';
import { SocketClient } from '../../support/socket-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('bodyLimit', () => {
  let server: TestServer | null = null;
  afterEach(() => server?.close());

  /** Sends `octets` to a server with the limit 10; its application answers with what it received. */
  async function talk(octets: string, application = echo(), until = /\r\n\r\n[\s\S]*\n$/): Promise<string> {
    server = await serve({
      handle: compose([bodyLimit({ bodyBytesMax: 10 }), application], () => Response.text(200, 'x\n')),
    });
    const client = await SocketClient.open(server.port);
    client.send(octets);
    await client.until(until);
    client.close();
    assert.deepEqual(server.errors, []);
    return client.received;
  }

  const post = (fields: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
  const chunked = (...chunks: string[]) =>
    post('Transfer-Encoding: chunked', chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join(''));

  it('lets pass what is as large as the limit', async () => {
    assert.match(await talk(post('Content-Length: 10', '0123456789')), /^HTTP\/1.1 200[\s\S]*got 0123456789\n$/);
    server?.close();
    assert.match(await talk(`${chunked('01234', '56789')}0\r\n\r\n`), /^HTTP\/1.1 200[\s\S]*got 0123456789\n$/);
  });

  it('lets pass what has no content', async () => {
    assert.match(await talk(GET), /^HTTP\/1.1 200/);
  });

  it('refuses a longer Content-Length before any content came, and does not ask for it', async () => {
    const answer = await talk(post('Content-Length: 11\r\nExpect: 100-continue'));
    assert.match(answer, /^HTTP\/1.1 413 /);
    assert.match(answer, /\r\nConnection: close\r\n/);
  });

  it('goes on with the next request when the refused content was short', async () => {
    const answer = await talk(
      `${post('Content-Length: 11', '0123456789a')}${GET}`,
      echo(),
      /413[\s\S]*200[\s\S]*got \n$/,
    );
    assert.doesNotMatch(answer, /got 0/);
  });

  it('refuses chunked content as soon as it is longer, without waiting for its end', async () => {
    const failures: unknown[] = [];
    assert.match(
      await talk(chunked('01234', '56789', 'a'), echo(failures)),
      /^HTTP\/1.1 413 [\s\S]*Content Too Large\n$/,
    );
    assert.equal(failures.length, 1);
    assert.ok(failures[0] instanceof RequestBodyError && failures[0].status === 413);
  });

  it('tells those behind it that nobody awaits them, so that they can end what they began', async () => {
    const told: string[] = [];
    const waits: Handler = (request) => {
      const { body } = request;
      const fail = () => {
        request.onGone = () => told.push('gone');
      };
      body?.start({ write() {}, end() {}, fail });
      return new Promise(() => {});
    };
    await talk(chunked('0123456789a'), waits);
    assert.deepEqual(told, ['gone']);
  });

  it('sends one answer when the application answers what it failed to read', async () => {
    const early: Handler = ({ body }) =>
      new Promise((resolve) => {
        if (body === null) resolve(Response.text(200, 'next\n'));
        else body.start({ write() {}, end() {}, fail: () => resolve(Response.text(500, 'failed\n')) });
      });
    const answer = await talk(`${chunked('0123456789a')}0\r\n\r\n${GET}`, early, /413[\s\S]*next\n$/);
    assert.doesNotMatch(answer, / 500 /);
  });
});

/** Answers with what it received. */
function echo(failures: unknown[] = []): Handler {
  return ({ body }) => {
    if (body === null) return Response.text(200, 'got \n');
    return new Promise((resolve, reject) => {
      let text = '';
      body.start({
        write: (block) => {
          text += Buffer.from(block).toString('latin1');
        },
        end: () => resolve(Response.text(200, `got ${text}\n`)),
        fail: (error) => {
          failures.push(error);
          reject(error);
        },
      });
    });
  };
}
