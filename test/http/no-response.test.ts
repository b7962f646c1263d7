import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isNoResponse, NO_RESPONSE } from '../../src/http/no-response.ts';
import { Response } from '../../src/http/response.ts';
import { changeResponse } from '../../src/http/response-fields.ts';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { END_STREAM, FrameClient, fields, HEADERS, request } from '../support/http2-frames.ts';
import { type Answer, serveHandler } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

/** Answers `/` and drops all other requests; handlers may have added fields. */
const answer: Answer = ({ path }) =>
  path === '/' ? Response.text(200, 'hello') : changeResponse(NO_RESPONSE, { add: ['X-Added', '1'] });

const PROTOCOL_ERROR = 1;

describe('a request without a response', () => {
  it('closes the connection of HTTP/1.1, after the responses before it', async (t) => {
    const { port, answered, errors } = await serveHandler(t, answer);
    const client = await SocketClient.open(port);
    client.send(['/', '/drop', '/'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await client.untilClosed();
    assert.equal(client.received.match(/HTTP\/1\.1 /g)?.length, 1);
    assert.match(client.received, /^HTTP\/1\.1 200 .*hello$/s);
    const [first, second, ...others] = answered;
    assert.deepEqual([first?.status, second, others], [200, { path: '/drop', status: 444, bodyBytes: 0 }, []]);
    assert.deepEqual(errors, []);
  });

  it('closes the connection while the content of the request arrives, and when the answer comes late', async (t) => {
    const { port, statuses } = await serveHandler(t, async (asked) => answer(asked));
    const client = await SocketClient.open(port);
    client.send('POST /drop HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nstart');
    await client.untilClosed();
    assert.equal(client.received, '');
    assert.deepEqual(statuses, [444]);
  });

  it('resets its stream of HTTP/2, as nginx does, and leaves the others', async (t) => {
    const { port, answered, errors } = await serveHandler(t, answer, { protocol: 'HTTP/2' });
    const client = await FrameClient.open(port);
    client.send(request(1, fields({ ':path': '/drop' })), request(3, fields()));
    await client.until('the other response', ({ type, id, flags }) => type === HEADERS && id === 3 && flags > 0);
    await eventually('the stream is reset', () => client.resetCode(1) === PROTOCOL_ERROR);
    assert.ok(!client.frames.some(({ id, type }) => id === 1 && type === HEADERS));
    assert.deepEqual(
      answered.map(({ path, status }) => [path, status]),
      [
        ['/drop', 444],
        ['/', 200],
      ],
    );
    assert.deepEqual([client.goaway, errors], [-1, []]);
    client.send(request(5, fields()));
    await client.until('a later response', ({ id, flags }) => id === 5 && (flags & END_STREAM) !== 0);
  });

  it('closes the connection of a front-end proxy that speaks SCGI', async (t) => {
    const { port, statuses } = await serveHandler(t, answer, { protocol: 'scgi' });
    const client = await SocketClient.open(port);
    client.send(encodeRequest('scgi', variablesOf({ REQUEST_URI: '/drop', PATH_INFO: '/drop' })));
    await client.untilClosed();
    assert.deepEqual([client.received, statuses], ['', [444]]);
  });

  it('is known whatever handlers add', () => {
    assert.ok(isNoResponse(changeResponse(NO_RESPONSE, { set: ['X-A', '1'] })));
    assert.ok(!isNoResponse(Response.text(444, '')));
  });
});
