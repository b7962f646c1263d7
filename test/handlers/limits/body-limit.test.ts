import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyLimit } from '../../../src/handlers/limits/body-limit.ts';
import type { Handler } from '../../../src/http/handler.ts';
import { RequestBodyError } from '../../../src/http/refusal.ts';
import { Response } from '../../../src/http/response.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('bodyLimit', () => {
  const eachTest = eachTestLifetime();

  /** Sends `octets` to a server with the limit 10. Its application answers with the received content. */
  async function talk(octets: string, application = echo(), until = /\r\n\r\n[\s\S]*\n$/): Promise<string> {
    const chain = [bodyLimit({ bodyBytesMax: 10 }), application, () => Response.text(200, 'x\n')] as const;
    const server = await serveHandler(eachTest, chain);
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

  it('passes on content that is as long as the limit', async () => {
    assert.match(await talk(post('Content-Length: 10', '0123456789')), /^HTTP\/1.1 200[\s\S]*got 0123456789\n$/);
    assert.match(await talk(`${chunked('01234', '56789')}0\r\n\r\n`), /^HTTP\/1.1 200[\s\S]*got 0123456789\n$/);
  });

  it('passes on requests without content', async () => {
    assert.match(await talk(GET), /^HTTP\/1.1 200/);
  });

  it('refuses a longer Content-Length before any content arrives, without 100 Continue', async () => {
    const answer = await talk(post('Content-Length: 11\r\nExpect: 100-continue'));
    assert.match(answer, /^HTTP\/1.1 413 /);
    assert.match(answer, /\r\nConnection: close\r\n/);
  });

  it('continues with the next request when the refused content was short', async () => {
    const answer = await talk(
      `${post('Content-Length: 11', '0123456789a')}${GET}`,
      echo(),
      /413[\s\S]*200[\s\S]*got \n$/,
    );
    assert.doesNotMatch(answer, /got 0/);
  });

  it('refuses chunked content as soon as it is too long', async () => {
    const failures: unknown[] = [];
    assert.match(
      await talk(chunked('01234', '56789', 'a'), echo(failures)),
      /^HTTP\/1.1 413 [\s\S]*Content Too Large\n$/,
    );
    assert.equal(failures.length, 1);
    assert.ok(failures[0] instanceof RequestBodyError && failures[0].status === 413);
  });

  it('tells the next handlers that nobody waits for their response', async () => {
    const calls: string[] = [];
    const waits: Handler = (request) => {
      const { body } = request;
      const fail = () => {
        request.onGone = () => calls.push('gone');
      };
      body?.start({ write() {}, end() {}, fail });
      return new Promise(() => {});
    };
    await talk(chunked('0123456789a'), waits);
    assert.deepEqual(calls, ['gone']);
  });

  it('sends one response when the application answers after the failure', async () => {
    const early: Handler = ({ body }) =>
      new Promise((resolve) => {
        if (body === null) resolve(Response.text(200, 'next\n'));
        else body.start({ write() {}, end() {}, fail: () => resolve(Response.text(500, 'failed\n')) });
      });
    const answer = await talk(`${chunked('0123456789a')}0\r\n\r\n${GET}`, early, /413[\s\S]*next\n$/);
    assert.doesNotMatch(answer, / 500 /);
  });
});

/** Answers with the received content. */
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
