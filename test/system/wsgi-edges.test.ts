import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Gallery, startGallery } from '../support/gallery.ts';
import { encode, type HttpAnswer, type HttpRequest } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

describe('PEP 3333: the edges of the contract', () => {
  const suite = suiteLifetime();
  let gallery: Gallery;

  before(async () => {
    gallery = await startGallery(suite);
  });

  const get = (query: string, request?: HttpRequest): Promise<HttpAnswer> =>
    gallery.get(`/bare/edges?${query}`, request);
  const noted = async (): Promise<string[]> => (await get('log')).body.split(',');

  describe('start_response', () => {
    for (const [query, how, message] of [
      ['never', 'an empty list is returned', /returned without calling start_response/],
      ['early-block', 'a generator produces a block', /a block was produced before start_response was called/],
    ] as const) {
      it(`must be called: the answer is 500 when ${how} without it`, async () => {
        assert.equal((await get(query)).status, 500);
        await gallery.logged(message);
      });
    }

    it('may be called after empty blocks', async () => {
      const answer = await get('late');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'started', true]);
    });

    it('may be called by a generator that ends without a block', async () => {
      const answer = await get('nothing');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, '', true]);
    });

    it('breaks the response off when it is called again without exc_info after a block', async () => {
      const answer = await get('start-again');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'started', false]);
    });

    it('leaves a complete response intact when close() calls it', async () => {
      const answer = await get('closing');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'two blocks', true]);
      await gallery.logged(/start_response was called a second time/);
    });
  });

  describe('the iterable', () => {
    for (const query of ['unsized', 'indexed', 'sized2']) {
      it(`is sent whole when it is not a list: ${query}`, async () => {
        const answer = await get(query);
        assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'two blocks', true]);
      });
    }

    for (const length of [0, 1, 7]) {
      it(`is sent whole when its __len__ returns ${length} and it has two blocks`, async () => {
        const answer = await get(`sized${length}`);
        assert.deepEqual([answer.body, answer.whole], ['two blocks', true]);
      });
    }

    for (const [query, content] of [
      ['bytes', 'bytes, whose iteration yields numbers'],
      ['array', 'an array'],
    ] as const) {
      it(`is sent as one block, with a line in the log, when it is bytes itself: ${query}`, async () => {
        const answer = await get(query);
        assert.deepEqual([answer.body, answer.framing], [content, 'length']);
        await gallery.logged(
          /the application returned bytes, not an iterable of blocks: they are sent as one block.* level=warn/,
        );
      });
    }

    it('breaks off at a later block that is not bytes', async () => {
      const answer = await get('odd');
      assert.deepEqual([answer.status, answer.body, answer.whole], [200, 'started', false]);
    });

    it('sends a memoryview', async () => {
      const answer = await get('view');
      assert.deepEqual([answer.body, answer.whole], ['started with a view', true]);
    });

    it('is a generator whose finally runs when the client has left', async () => {
      const client = await SocketClient.open(gallery.viaduct.port);
      client.send(encode('/bare/edges?endless'));
      await client.until(/started/);
      client.close();
      await eventually('the generator has ended', async () => (await noted()).includes('endless ended'));
    });

    it('is a generator whose finally runs when the method is HEAD', async () => {
      const answer = await get('late', { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.body], [200, '']);
      await eventually('the generator has ended', async () => (await noted()).includes('late ended'));
    });
  });

  describe('write()', () => {
    it('keeps the order when it is called during the iteration', async () => {
      const answer = await get('write-yields');
      assert.deepEqual([answer.body, answer.whole], ['one,two,three,four', true]);
    });

    it('is cut to the Content-Length when it sends more', async () => {
      const answer = await get('write-more');
      assert.deepEqual([answer.header('content-length'), answer.body, answer.whole], ['5', 'onetw', true]);
    });

    it('leaves a visibly short response when it sends less than the Content-Length', async () => {
      const answer = await get('write-less');
      assert.deepEqual([answer.header('content-length'), answer.body, answer.whole], ['5', 'one', false]);
    });

    it('sends nothing for HEAD and 204', async () => {
      const head = await get('write', { method: 'HEAD' });
      assert.deepEqual([head.status, head.body, head.whole], [200, '', true]);
      const empty = await get('write-204');
      assert.deepEqual([empty.status, empty.body, empty.whole], [204, '', true]);
    });
  });

  describe('wsgi.input', () => {
    for (const query of ['unread', 'under', 'closed-input']) {
      for (const size of [10, 300_000]) {
        it(`leaves the connection to the next request when the application handles ${size} bytes like this: ${query}`, async () => {
          const client = await SocketClient.open(gallery.viaduct.port);
          const head = `POST /bare/edges?${query} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`;
          client.send(head + 'x'.repeat(size) + encode('/bare/edges?next').toString('latin1'));
          await client.untilClosed();
          const answers = client.received.match(/HTTP\/1\.1 200 OK\r\n[\s\S]*?answered/g);
          assert.equal(answers?.length, 2);
        });
      }
    }
  });
});
