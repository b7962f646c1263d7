import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Gallery, startGallery } from '../support/gallery.ts';
import { Pipeline } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { startMarked } from '../support/marks.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { eventually } from '../support/wait.ts';

const CONNECTIONS = 150;
const REQUESTS = 40;

describe('headers that a client repeats', () => {
  const suite = suiteLifetime();
  let gallery: Gallery;

  before(async () => {
    gallery = await startGallery(suite);
  });

  const environ = async (client: Pipeline, fields: string, target = '/environs/', version = '1.1') => {
    const [answer] = await client.send([`GET ${target} HTTP/${version}\r\nHost: a.example\r\n${fields}\r\n`]);
    assert.equal(answer?.status, 200, answer?.body);
    return JSON.parse(answer?.body ?? '') as Record<string, string>;
  };

  it('reach the application each time, together with headers that change', async () => {
    const client = await Pipeline.open(gallery.viaduct.port);
    for (let i = 0; i < 6; i += 1) {
      const seen = await environ(client, 'Cookie: a=1\r\nX-Twice: b\r\nX-Twice: c\r\n', `/environs/${i}?q=${i}`);
      assert.deepEqual(
        [seen.PATH_INFO, seen.QUERY_STRING, seen.HTTP_COOKIE, seen.HTTP_X_TWICE, seen.HTTP_HOST, seen.REMOTE_ADDR],
        [`/environs/${i}`, `q=${i}`, 'a=1', 'b, c', 'a.example', '127.0.0.1'],
      );
      assert.equal('left behind' in seen, false);
      assert.equal(seen['wsgi.url_scheme'], 'http');
    }
    client.close();
  });

  it('are those of the request when they change and return, also with another HTTP version or another authority', async () => {
    const client = await Pipeline.open(gallery.viaduct.port);
    for (const value of ['1', '1', '1', '2', '1', '1', '2', '2', '2']) {
      assert.equal((await environ(client, `Cookie: a=${value}\r\n`)).HTTP_COOKIE, `a=${value}`);
    }
    const kept = 'Connection: keep-alive\r\n';
    for (const version of ['1.1', '1.1', '1.1', '1.0', '1.0', '1.0', '1.1']) {
      assert.equal((await environ(client, kept, '/environs/', version)).SERVER_PROTOCOL, `HTTP/${version}`);
    }
    for (const target of ['/environs/', '/environs/', 'http://b.example/environs/', '/environs/']) {
      const host = target.startsWith('http') ? 'b.example' : 'a.example';
      assert.equal((await environ(client, kept, target)).HTTP_HOST, host);
    }
    client.close();
  });

  it('still frame their content', async () => {
    const client = await Pipeline.open(gallery.viaduct.port);
    const post = (body: string): string =>
      `POST /environs/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answers = await client.send([post('one'), post('two'), post('six'), post(''), post(''), post('seven')]);
    assert.deepEqual(
      answers.map(({ body }) => (JSON.parse(body) as Record<string, string>).CONTENT_LENGTH),
      ['3', '3', '3', '0', '0', '5'],
    );
    client.close();
  });
});

describe('headers that many clients repeat', () => {
  it("never reach the application with another client's request", { timeout: 120_000 }, async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const server = await startMarked(t, ['--workers', '1', '--threads', '2']);
    const mixed: string[] = [];
    let done = 0;
    const clients = Array.from({ length: CONNECTIONS }, async (_, index) => {
      const client = await Pipeline.open(server.port);
      for (let i = 0; i < REQUESTS; i += 1) {
        // Requests behind a slow one are recalled; changed headers replace others in the cache.
        const target = random() < 0.01 ? '/run/x/25' : '/run/x/0';
        const cookie = `client=${index}.${random() < 0.1 ? i : 0}`;
        const [answer] = await client.send([`GET ${target} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`]);
        if (answer?.status !== 502 && !(answer?.body ?? '').endsWith(` ${cookie}`))
          mixed.push(`${cookie}: ${answer?.body}`);
        done += 1;
      }
      client.close();
    });
    const killing = eventually('it is time to kill the worker', () => done > (CONNECTIONS * REQUESTS) / 2).then(() => {
      const pid = server.marks().at(-1)?.pid;
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    await Promise.all([...clients, killing]);
    assert.deepEqual(mixed, []);
  });
});
