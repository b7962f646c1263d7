import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Gallery, startGallery } from '../support/gallery.ts';
import { encode, type HttpAnswer, type HttpRequest, parseAnswer } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import type { Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const ON_LINUX = process.platform === 'linux' ? false : 'files are handed over on Linux only';

describe('PEP 3333: the response of an application', () => {
  const suite = suiteLifetime();
  let gallery: Gallery;
  let viaduct: Viaduct;

  before(async () => {
    gallery = await startGallery(suite);
    viaduct = gallery.viaduct;
  });

  const get = (target: string, request?: HttpRequest): Promise<HttpAnswer> => gallery.get(target, request);
  const logged = (pattern: RegExp): Promise<void> => gallery.logged(pattern);

  describe('the body', () => {
    it('is sent block by block: the first block does not wait for the second', async () => {
      const client = await SocketClient.open(viaduct.port);
      client.send(encode('/lazy?held'));
      await client.until(/first/);
      assert.doesNotMatch(client.received, /second/);
      await get('/lazy?release');
      await client.untilClosed();
      const answer = parseAnswer(client.received, 'GET');
      assert.equal(answer.body, 'first,second');
      assert.ok(answer.whole);
    });

    it('has the blocks of write() before those of the returned iterable', async () => {
      const only = await get('/writes?only');
      assert.equal(only.body, 'first,second');
      assert.ok(only.whole);
      const also = await get('/writes?also');
      assert.equal(also.body, 'first,second,third');
      assert.ok(also.whole);
    });

    for (const failure of ['fail', 'text']) {
      it(`breaks off when the application raises after write(): ${failure}`, async () => {
        const answer = await get(`/bare/writes?${failure}`);
        assert.ok('first,second'.startsWith(answer.body));
        assert.equal(answer.whole, false);
      });
    }

    it('is framed by chunks in HTTP/1.1 and by the end of the connection in HTTP/1.0 when its length is unknown', async () => {
      const query = encodeURIComponent(JSON.stringify(['200 OK', [['Content-Type', 'a/b']], ['one', 'two'], true]));
      const modern = await get(`/heads?${query}`);
      assert.deepEqual([modern.framing, modern.body, modern.whole], ['chunked', 'onetwo', true]);
      const old = await get(`/heads?${query}`, { version: '1.0' });
      assert.deepEqual([old.framing, old.body, old.header('transfer-encoding')], ['close', 'onetwo', null]);
    });

    it('gets a Content-Length when it is a list of one block', async () => {
      const query = encodeURIComponent(JSON.stringify(['200 OK', [], ['one']]));
      for (const version of ['1.0', '1.1'] as const) {
        const answer = await get(`/bare/heads?${query}`, { version });
        assert.deepEqual([answer.framing, answer.header('content-length'), answer.body], ['length', '3', 'one']);
      }
    });

    for (const [query, blocks] of [
      ['no block', []],
      ['empty blocks', ['', '']],
    ] as const) {
      for (const prefix of ['', '/bare']) {
        it(`may be empty: ${query}${prefix}`, async () => {
          const query = encodeURIComponent(JSON.stringify(['200 OK', [['Content-Type', 'a/b']], blocks]));
          const answer = await get(`${prefix}/heads?${query}`);
          assert.deepEqual([answer.status, answer.body, answer.whole], [200, '', true]);
        });
      }
    }

    it('is complete when the application produces no block', async () => {
      const answer = await get('/lazy?none-now');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, '', true]);
    });

    for (const lazily of [false, true]) {
      const from = lazily ? 'a generator' : 'a list';
      const query = (length: number, ...blocks: string[]): string => {
        const item = [
          '200 OK',
          [
            ['Content-Type', 'a/b'],
            ['Content-Length', `${length}`],
          ],
          blocks,
        ];
        return encodeURIComponent(JSON.stringify(lazily ? [...item, true] : item));
      };

      it(`is cut to its Content-Length when ${from} has more, and the connection stays open`, async () => {
        const client = await SocketClient.open(viaduct.port);
        const request = `GET /bare/heads?${query(4, 'abc', 'def', 'ghi')} HTTP/1.1\r\nHost: a\r\n\r\n`;
        client.send(request);
        await client.until(/abcd$/);
        client.send(encode(`/heads?${query(3, 'xyz')}`));
        await client.untilClosed();
        assert.doesNotMatch(client.received, /abcde/);
        assert.match(client.received, /xyz$/);
      });

      it(`ends before its Content-Length when ${from} has less, and the client sees it`, async () => {
        const answer = await get(`/bare/heads?${query(10, 'abc', 'def')}`);
        assert.equal(answer.whole, false);
        assert.ok('abcdef'.startsWith(answer.body));
      });

      it(`keeps a correct Content-Length when ${from} is the body`, async () => {
        const answer = await get(`/heads?${query(6, 'abc', 'def')}`);
        assert.deepEqual([answer.framing, answer.body, answer.whole], ['length', 'abcdef', true]);
      });

      it(`is left out for HEAD, with the Content-Length kept, when ${from} is the body`, async () => {
        const answer = await get(`/heads?${query(6, 'abc', 'def')}`, { method: 'HEAD' });
        assert.deepEqual([answer.status, answer.header('content-length'), answer.body], [200, '6', '']);
        const empty = await get(`/heads?${query(6)}`, { method: 'HEAD' });
        assert.deepEqual([empty.status, empty.header('content-length'), empty.body], [200, '6', '']);
      });

      for (const status of ['204 No Content', '304 Not Modified']) {
        it(`is left out when the status is ${status} and ${from} has content nevertheless`, async () => {
          const item = [status, [['X-A', 'b']], ['abc']];
          const client = await SocketClient.open(viaduct.port);
          const all = encodeURIComponent(JSON.stringify(lazily ? [...item, true] : item));
          client.send(`GET /bare/heads?${all} HTTP/1.1\r\nHost: a\r\n\r\n`);
          await client.until(/\r\n\r\n/);
          client.send(encode(`/heads?${query(3, 'xyz')}`));
          await client.untilClosed();
          const [first = '', ...rest] = client.received.split(/(?=HTTP\/1\.1 )/);
          const answer = parseAnswer(first, 'GET');
          assert.deepEqual([`${answer.status} ${answer.reason}`, answer.body, rest.length], [status, '', 1]);
          assert.equal(answer.header('transfer-encoding'), null);
        });
      }
    }

    it('has no length for HEAD when the application sets none and makes no body', async () => {
      const query = encodeURIComponent(JSON.stringify(['200 OK', [['Content-Type', 'a/b']], []]));
      const answer = await get(`/heads?${query}`, { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.header('content-length'), answer.body], [200, null, '']);
    });

    for (const failure of ['none', 'text', 'silent']) {
      it(`is a 500 when the application returns something else: ${failure}`, async () => {
        const answer = await get(`/bare/raises?${failure}`);
        assert.equal(answer.status, 500);
        assert.doesNotMatch(answer.body, /Traceback/);
      });
    }
  });

  describe('close()', () => {
    const closed = async (): Promise<string[]> => (await get('/closes?log')).body.split(' ');
    const isClosed = async (name: string): Promise<void> => {
      await eventually(`${name} is closed`, async () => (await closed()).includes(name));
      assert.equal((await closed()).filter((other) => other === name).length, 1, 'closed more than once');
    };

    for (const prefix of ['', '/bare']) {
      it(`is called when the iteration ends ${prefix}`, async () => {
        const answer = await get(`${prefix}/closes?end${prefix.slice(1)}+done`);
        assert.equal(answer.body, 'a block another');
        await isClosed(`end${prefix.slice(1)}`);
      });

      it(`is called when the iteration raises ${prefix}`, async () => {
        const middle = await get(`${prefix}/closes?middle${prefix.slice(1)}+raise`);
        assert.equal(middle.whole, false);
        await isClosed(`middle${prefix.slice(1)}`);
        const first = await get(`${prefix}/closes?first${prefix.slice(1)}+raise-first`);
        assert.equal(first.status, 500);
        await isClosed(`first${prefix.slice(1)}`);
      });

      it(`is called when the method is HEAD, after one block of an endless body ${prefix}`, async () => {
        const answer = await get(`${prefix}/closes?head${prefix.slice(1)}+endless`, { method: 'HEAD' });
        assert.deepEqual([answer.status, answer.body], [200, '']);
        await isClosed(`head${prefix.slice(1)}`);
      });

      it(`is called when the client leaves during an endless body ${prefix}`, async () => {
        const client = await SocketClient.open(viaduct.port);
        client.send(encode(`${prefix}/closes?left${prefix.slice(1)}+endless`));
        await client.until(/a block/);
        client.close();
        await isClosed(`left${prefix.slice(1)}`);
      });

      it(`is called when the client leaves while the application waits ${prefix}`, async () => {
        const client = await SocketClient.open(viaduct.port);
        client.send(encode(`${prefix}/closes?held${prefix.slice(1)}+held`));
        await client.until(/a block/);
        client.close();
        await get('/closes?release');
        await isClosed(`held${prefix.slice(1)}`);
      });
    }

    it('ends an application that calls write() in a loop when the client leaves', async () => {
      const client = await SocketClient.open(viaduct.port);
      client.send(encode('/bare/closes?writing+writes'));
      await client.until(/a block/);
      client.close();
      await isClosed('writing');
      assert.doesNotMatch(viaduct.output(), /ClientLeftError/);
    });

    it('is called when start_response was not called', async () => {
      const answer = await get('/bare/closes?silent+no-start');
      assert.equal(answer.status, 500);
      await isClosed('silent');
    });

    it('leaves a complete response intact when it raises', async () => {
      const answer = await get('/bare/closes?broken+close-raises');
      assert.equal(answer.body, 'a block another');
      assert.ok(answer.whole);
      await isClosed('broken');
      await logged(/in close\(\)/);
    });
  });

  describe('wsgi.file_wrapper', () => {
    const CONTENT = Array.from({ length: 20_000 }, (_, number) => `line ${number}\n`).join('');
    const closed = async (): Promise<string[]> => (await get('/files?closed')).body.split(' ');
    const isClosed = (name: RegExp): Promise<void> =>
      eventually(`${name} is closed`, async () => (await closed()).some((other) => name.test(other)));

    for (const prefix of ['', '/bare']) {
      for (const query of ['file', 'memory', 'temporary', 'named', 'iterated']) {
        it(`sends the whole file and closes it: ${query} ${prefix}`, async () => {
          const answer = await get(`${prefix}/files?${query}`);
          assert.equal(answer.body, CONTENT);
          assert.ok(answer.whole);
          await isClosed(new RegExp(`^${query}@`));
        });
      }

      it(`starts at the position of the file when it was read before ${prefix}`, async () => {
        const answer = await get(`${prefix}/files?offset+5000`);
        assert.equal(answer.body, CONTENT.slice(5000));
        assert.equal((await get(`${prefix}/files?offset+${CONTENT.length + 5}`)).body, '');
      });

      it(`sends at most Content-Length bytes ${prefix}`, async () => {
        const answer = await get(`${prefix}/files?length+10`);
        assert.deepEqual(
          [answer.body, answer.header('content-length'), answer.whole],
          [CONTENT.slice(0, 10), '10', true],
        );
      });

      it(`breaks the response off when the file is shorter than its Content-Length ${prefix}`, async () => {
        const answer = await get(`${prefix}/files?length+${CONTENT.length + 1}`);
        assert.equal(answer.whole, false);
        assert.ok(CONTENT.startsWith(answer.body));
      });

      it(`sends no content for HEAD and closes the file ${prefix}`, async () => {
        const before = (await closed()).length;
        const answer = await get(`${prefix}/files?file`, { method: 'HEAD' });
        assert.deepEqual([answer.status, answer.body], [200, '']);
        await eventually('another file is closed', async () => (await closed()).length > before);
      });

      it(`sends the result of read(), not the content of the file, when the two differ ${prefix}`, async () => {
        assert.equal((await get(`${prefix}/files?decoding`)).body, CONTENT.toUpperCase());
        assert.equal((await get(`${prefix}/files?attribute`)).body, CONTENT.toUpperCase());
      });

      it(`sends the content of a pipe ${prefix}`, async () => {
        assert.equal((await get(`${prefix}/files?pipe`)).body, 'through a pipe');
      });
    }

    it('answers 500 when the file returns text', async () => {
      assert.equal((await get('/bare/files?text')).status, 500);
    });

    it('does not read a real file in Python', { skip: ON_LINUX }, async () => {
      const answer = await get('/bare/files?large');
      assert.equal(answer.body.length, 64 * 1024 * 1024);
      await isClosed(/^large@0$/);
    });
  });

  describe('an application that fails', () => {
    const pid = async (): Promise<string> => (await get('/raises?pid')).body;

    for (const query of ['error', 'base', 'exit', 'interrupt', 'cancelled', 'generator', 'unprintable', 'surrogate']) {
      it(`is answered with 500 without its secrets, and the worker continues: ${query}`, async () => {
        const before = await pid();
        const answer = await get(`/raises?${query}`);
        assert.equal(answer.status, 500);
        assert.ok(answer.whole);
        assert.doesNotMatch(answer.body, /Traceback|secret|raises\.py/);
        assert.equal(await pid(), before);
      });
    }

    it('is in the log with its traceback and the request', async () => {
      await get('/raises/in/the/log?error');
      await logged(/Traceback(.|\n)*secret of the application request=GET \/raises\/in\/the\/log/);
      await logged(/RuntimeError: a secret of the application/);
    });

    it('may have a very long traceback', async () => {
      const before = await pid();
      const answer = await get('/raises?recursion');
      assert.equal(answer.status, 500);
      await logged(/RecursionError/);
      assert.equal(await pid(), before);
    });
  });

  it('writes the lines of wsgi.errors to the log', async () => {
    await get('/logs?noted');
    await logged(/noted: written in parts/);
    await logged(/noted: first line(.|\n)*noted: second line/);
    await logged(/noted: caf\u00e9 \u2713, without an end of line.* level=info/);
  });
});
