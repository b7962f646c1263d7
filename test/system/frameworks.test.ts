import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';

const BOARDS = join(ROOT, 'examples/frameworks');

/** Where a framework answers differently from the others, by the title of the test. docs/frameworks.md lists this too. */
const DEVIATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  django: {},
  flask: { 'sends a file': 'answers ranges by itself' },
  pyramid: { 'sends a file': 'answers ranges by itself' },
  bottle: { 'sends a file': 'answers ranges by itself' },
  falcon: { 'answers HEAD as GET without the content': 'answers 405 where a resource has no on_head' },
  plain: {},
};

for (const framework of ['django', 'flask', 'pyramid', 'bottle', 'falcon', 'plain']) {
  for (const prefix of ['', '/board']) {
    describe(`the board in ${framework}${prefix === '' ? '' : `, below ${prefix}`}`, { skip: NO_PACKAGES }, () => {
      testBoard(framework, prefix);
    });
  }
}

function testBoard(framework: string, prefix: string): void {
  const suite = suiteLifetime();
  let server: Viaduct;

  before(async () => {
    const mounted = `[apps.board]\ntarget = "${join(BOARDS, framework)}"\n\n[[route]]\nmount = "${prefix}"\napp = "board"\n`;
    const cwd = prefix === '' ? join(BOARDS, framework) : makeProject(suite, { 'viaduct.toml': mounted });
    const args = ['--workers', '1', '--python', PYTHON_WITH_PACKAGES as string, '--access-log', 'off'];
    server = await startViaduct(suite, args, { cwd });
  });

  const get = (path: string, request?: HttpRequest): Promise<HttpAnswer> => ask(server.port, prefix + path, request);
  const json = async (path: string, request?: HttpRequest): Promise<unknown> => {
    const answer = await get(path, request);
    assert.match(answer.header('content-type') ?? '', /^application\/json/);
    return JSON.parse(Buffer.from(answer.body, 'latin1').toString('utf8'));
  };
  const cookies = (answer: HttpAnswer): string[] =>
    answer.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
  /** The path of a Location, which may be relative. */
  const leadsTo = (answer: HttpAnswer): string => {
    return new URL(answer.header('location') ?? '', `http://test.example${prefix}/`).pathname;
  };

  it('accepts a form, redirects with two cookies, and shows the note escaped', async () => {
    const form: HttpRequest = {
      method: 'POST',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: 'text=caf%C3%A9+%3Cb%3E',
    };
    const answer = await get('/notes', form);
    assert.equal(answer.status, 303);
    assert.equal(leadsTo(answer), `${prefix}/`);
    assert.deepEqual(
      cookies(answer)
        .map((cookie) => cookie.split(';')[0])
        .sort(),
      ['saved=yes', 'visitor=guest'],
    );
    const page = await get('/', { headers: [['Cookie', 'saved=yes; visitor=guest']] });
    assert.match(page.header('content-type') ?? '', /^text\/html/);
    const html = Buffer.from(page.body, 'latin1').toString('utf8');
    assert.match(html, /<p>Saved\.<\/p>/);
    assert.match(cookies(page).join(), /^saved=("")?;.*(max-age=0|expires=)/i);
    assert.match(html, /<li>café &lt;b&gt;<\/li>/);
    assert.match(html, new RegExp(`action="(http://test\\.example)?${prefix}/notes"`));
    assert.doesNotMatch((await get('/')).body, /Saved/);
  });

  it('creates, shows and deletes a note with its API', async () => {
    const body = Buffer.from(JSON.stringify({ text: 'Zoë €' }));
    const made = await get('/api/notes', { method: 'POST', headers: [['Content-Type', 'application/json']], body });
    assert.equal(made.status, 201);
    const path = leadsTo(made).slice(prefix.length);
    assert.match(path, /^\/api\/notes\/\d+$/);
    const note = (await json(path)) as { id: number; text: string };
    assert.equal(note.text, 'Zoë €');
    assert.match((await get('/api/notes')).header('x-notes') ?? '', /^[1-9]\d*$/);
    assert.deepEqual(
      ((await json('/api/notes')) as { id: number }[]).find(({ id }) => id === note.id),
      note,
    );
    const deleted = await get(path, { method: 'DELETE' });
    assert.deepEqual([deleted.status, deleted.body, deleted.framing], [204, '', 'none']);
    assert.equal((await get(path)).status, 404);
    assert.equal((await get('/nowhere')).status, 404);
  });

  it('refuses a method that a resource does not support', async () => {
    const answer = await get('/api/notes', { method: 'PUT', body: 'x' });
    assert.equal(answer.status, 405);
    assert.match(answer.header('allow') ?? '', /POST/);
  });

  it('receives a file, with a length or in chunks', async () => {
    const content = Buffer.alloc(300_000, 'viaduct ');
    const boundary = 'b0undary';
    const body = Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a file.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
      ),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const type = ['Content-Type', `multipart/form-data; boundary=${boundary}`] as const;
    const whole = await json('/upload', { method: 'POST', headers: [type], body });
    assert.deepEqual(whole, { name: 'a file.bin', size: content.length, sha256 });
    const chunks = Buffer.concat([
      ...[body.subarray(0, 100_000), body.subarray(100_000)].flatMap((part) => [
        Buffer.from(`${part.length.toString(16)}\r\n`),
        part,
        Buffer.from('\r\n'),
      ]),
      Buffer.from('0\r\n\r\n'),
    ]);
    const chunked = await json('/upload', {
      method: 'POST',
      headers: [type, ['Transfer-Encoding', 'chunked']],
      body: chunks,
    });
    assert.deepEqual(chunked, whole);
  });

  it('streams a large answer', async () => {
    const { body, whole, framing } = await get('/download');
    assert.deepEqual([body.length, whole, framing], [64 * 16_384, true, 'chunked']);
    assert.equal(body[0], 'A');
    assert.equal(body.at(-1), 'L');
  });

  it('sends a file', async () => {
    const answer = await get('/postcard');
    assert.equal(answer.body, readFileSync(join(BOARDS, 'postcard.txt'), 'latin1'));
    assert.match(answer.header('content-type') ?? '', /^text\/plain/);
    const part = await get('/postcard', { headers: [['Range', 'bytes=0-8']] });
    const hasRanges = DEVIATIONS[framework]?.['sends a file'] !== undefined;
    assert.deepEqual([part.status, part.body.length], hasRanges ? [206, 9] : [200, answer.body.length]);
  });

  it('sends server-sent events', async () => {
    const answer = await get('/events');
    assert.match(answer.header('content-type') ?? '', /^text\/event-stream/);
    assert.equal(answer.body, 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
  });

  it('reads UTF-8 in paths and queries', async () => {
    const greeting = async (path: string) => Buffer.from((await get(path)).body, 'latin1').toString('utf8');
    assert.equal(await greeting('/hello/Zo%C3%AB%20%E2%82%AC'), 'Hello, Zoë €!');
    assert.equal(await greeting('/hello/a%2Bb'), 'Hello, a+b!');
    assert.equal((await get('/hello/a%2Fb')).status, 404);
    assert.deepEqual(await json('/search?q=caf%C3%A9+%26+th%C3%A9'), { q: 'café & thé' });
    assert.deepEqual(await json('/search'), { q: '' });
  });

  it('answers HEAD as GET without the content', async () => {
    if (DEVIATIONS[framework]?.['answers HEAD as GET without the content'] !== undefined) {
      const { status, body } = await get('/', { method: 'HEAD' });
      assert.deepEqual([status, body], [405, '']);
      return;
    }
    for (const path of ['/', '/postcard', '/search?q=x']) {
      const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)];
      assert.deepEqual([head.status, head.body, head.header('content-type')], [200, '', whole.header('content-type')]);
      const length = head.header('content-length');
      if (length !== null) assert.equal(length, `${whole.body.length}`);
    }
  });

  it('knows the client and the scheme from a proxy, and the host from Host', async () => {
    assert.deepEqual(await json('/whoami'), {
      address: '127.0.0.1',
      scheme: 'http',
      host: 'test.example',
      root: prefix,
    });
    const headers = [
      ['X-Forwarded-For', '192.0.2.7'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'public.example'],
    ] as const;
    const expected = { address: '192.0.2.7', scheme: 'https', host: 'test.example', root: prefix };
    assert.deepEqual(await json('/whoami', { headers }), expected);
  });

  if (prefix !== '') {
    it('answers at its mount, with and without the slash', async () => {
      const bare = await get('');
      const leads = bare.status === 200 ? `${prefix}/` : leadsTo(bare);
      assert.deepEqual([bare.status < 400, leads], [true, `${prefix}/`]);
    });
  }

  it('redirects permanently', async () => {
    const answer = await get('/old');
    assert.equal(answer.status, 301);
    assert.equal(leadsTo(answer), `${prefix}/`);
  });

  it('answers 500 when a view raises, and serves the next request', async () => {
    const answer = await get('/broken');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /on purpose/);
    assert.equal((await get('/')).status, 200);
  });
}

describe('a Pyramid application of a .ini file', { skip: NO_PACKAGES }, () => {
  it('is served by the module of docs/frameworks.md', async (t) => {
    const page = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');
    const [, module = ''] = /^```python\n# wsgi\.py\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const cwd = makeProject(t, {
      'wsgi.py': module,
      'production.ini': '[app:main]\nuse = call:board:main\ngreeting = from the ini file\n',
      'board.py': `from pyramid.config import Configurator
from pyramid.response import Response

def main(global_config, greeting):
    with Configurator() as config:
        config.add_route('home', '/')
        config.add_view(lambda request: Response(greeting), route_name='home')
        return config.make_wsgi_app()
`,
    });
    const args = ['--workers', '1', '--python', PYTHON_WITH_PACKAGES as string, '--access-log', 'off'];
    const server = await startViaduct(t, args, { cwd });
    assert.equal((await ask(server.port, '/')).body, 'from the ini file');
  });
});
