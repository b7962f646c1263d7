import { deepEqual, equal, match } from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { compression } from '../../../src/handlers/compression/compression.ts';
import { devBar } from '../../../src/handlers/pages/dev-bar.ts';
import type { HeaderList, ResponseBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { BlockSource } from '../../support/block-source.ts';
import { ask } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';

const PAGE = '<!doctype html><html><body><h1>Bridges</h1></body></html>';
const TAG = /<script src="\/__viaduct\/assets\/bar\.js" data-prefix="\/__viaduct" data-id="[!-~]+" defer><\/script>\n/;
const HTML = ['Content-Type', 'text/html; charset=utf-8'];

describe('the development bar', () => {
  const suite = suiteLifetime();
  const told: string[] = [];
  let isAllowed = true;
  let answer: () => Response;
  let server: TestServer;

  beforeEach(async () => {
    told.length = 0;
    isAllowed = true;
    const bar = devBar({ prefix: '/__viaduct', allow: () => isAllowed, onForbidden: (message) => told.push(message) });
    server = await serveHandler(suite, [compression({ encodings: ['gzip'], bytesMin: 1 }), bar, () => answer()]);
  });

  async function bodyOf(
    headers: HeaderList,
    body: ResponseBody = Buffer.from(PAGE),
    options: { status?: number; headers?: readonly (readonly [string, string])[] } = {},
  ): Promise<string> {
    const { status = 200, ...rest } = options;
    answer = () => Response.fromHeaders(status, headers, body);
    return (await ask(server.port, '/page', rest)).body;
  }

  it('comes before the end of the body, and the length is that of the changed page', async () => {
    const length = String(Buffer.byteLength(PAGE));
    answer = () => Response.fromHeaders(200, [...HTML, 'Content-Length', length, 'ETag', '"1"'], Buffer.from(PAGE));
    const answered = await ask(server.port, '/page');
    const { body } = answered;
    match(body, TAG);
    equal(body.replace(TAG, ''), PAGE);
    match(body, /<\/h1><script [^>]*><\/script>\n<\/body><\/html>$/);
    equal(answered.header('content-length'), String(Buffer.byteLength(body)));
    equal(answered.header('etag'), null);
  });

  it('comes before the page is compressed', async () => {
    answer = () => Response.fromHeaders(200, HTML, Buffer.from(PAGE));
    const response = await fetch(`http://127.0.0.1:${server.port}/page`, { headers: { 'Accept-Encoding': 'gzip' } });
    equal(response.headers.get('content-encoding'), 'gzip');
    match(await response.text(), TAG);
  });

  it('is only for clients that can open the pages', async () => {
    isAllowed = false;
    equal(await bodyOf(HTML), PAGE);
  });

  it('is on error pages, too', async () => {
    match(await bodyOf(HTML, Buffer.from(PAGE), { status: 404 }), TAG);
  });

  for (const charset of ['iso-8859-1', 'windows-1252', 'UTF-8', '"utf-8"', 'shift_jis'])
    it(`leaves all other bytes of a page in ${charset} as they are`, async () => {
      const bytes = Buffer.concat([Buffer.from([0xe4, 0xfc, 0x83, 0x80]), Buffer.from('</BODY>')]);
      answer = () => Response.fromHeaders(200, ['Content-Type', `text/html;charset=${charset}`], bytes);
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { 'Accept-Encoding': 'identity' } });
      const received = Buffer.from(await response.arrayBuffer()).toString('latin1');
      match(received, TAG);
      equal(received.replace(TAG, ''), bytes.toString('latin1'));
    });

  for (const [what, headers] of [
    ['in UTF-16', ['Content-Type', 'text/html; charset=utf-16le']],
    ['of plain text', ['Content-Type', 'text/plain']],
    ['of JSON', ['Content-Type', 'application/json']],
    ['that is coded already', [...HTML, 'Content-Encoding', 'br']],
    ['to download', [...HTML, 'Content-Disposition', 'attachment; filename="a.html"']],
    ['without a type', []],
  ] as const)
    it(`is not on a page ${what}`, async () => {
      equal(await bodyOf(headers), PAGE);
    });

  it('is not on a fragment without the end of a body', async () => {
    equal(await bodyOf(HTML, Buffer.from('<li>one</li>')), '<li>one</li>');
  });

  it('is not on a part', async () => {
    equal(await bodyOf([...HTML, 'Content-Range', 'bytes 0-9/99'], Buffer.from(PAGE), { status: 206 }), PAGE);
  });

  it('is not on a stream', async () => {
    const source = new BlockSource();
    const body = bodyOf(HTML, source);
    const sink = await source.sink;
    sink.write(Buffer.from(PAGE));
    sink.end();
    equal(await body, PAGE);
  });

  for (const [name, value] of [
    ['HX-Request', 'true'],
    ['X-Requested-With', 'XMLHttpRequest'],
    ['Sec-Fetch-Dest', 'empty'],
    ['Sec-Fetch-Dest', 'iframe'],
  ] as const)
    it(`is not on the answer to a request with ${name}: ${value}`, async () => {
      equal(await bodyOf(HTML, Buffer.from(PAGE), { headers: [[name, value]] }), PAGE);
    });

  it('is on the page that a browser goes to', async () => {
    match(await bodyOf(HTML, Buffer.from(PAGE), { headers: [['Sec-Fetch-Dest', 'document']] }), TAG);
  });

  for (const policy of [
    "default-src 'self'",
    "default-src 'none'; script-src 'self' 'nonce-x'",
    "script-src 'none'; script-src-elem 'self'",
    "img-src 'none'",
    'script-src *',
    'sandbox allow-scripts allow-same-origin',
  ])
    it(`is on a page with the policy ${policy}`, async () => {
      match(await bodyOf([...HTML, 'Content-Security-Policy', policy]), TAG);
      deepEqual(told, []);
    });

  for (const policy of [
    "default-src 'none'",
    "script-src 'nonce-x'",
    "script-src 'self' 'nonce-x' 'strict-dynamic'",
    "default-src 'self'; script-src https://cdn.example",
    "default-src 'self', script-src 'none'",
    'sandbox',
  ])
    it(`is not on a page with the policy ${policy}, and the log says so once`, async () => {
      equal(await bodyOf([...HTML, 'Content-Security-Policy', policy]), PAGE);
      await bodyOf([...HTML, 'Content-Security-Policy', policy]);
      equal(told.length, 1);
      match(told[0] as string, /^Cannot show the development bar on "\/page": .*forbids scripts from 'self'/);
    });

  it('obeys a policy in the page itself', async () => {
    const meta = `<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-x'">${PAGE}`;
    equal(await bodyOf(HTML, Buffer.from(meta)), meta);
    const own = `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">${PAGE}`;
    match(await bodyOf(HTML, Buffer.from(own)), TAG);
  });
});
