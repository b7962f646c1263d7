import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../src/http/response.ts';
import { startBackend } from '../support/backend.ts';
import { fetchWhole, PROTOCOLS } from '../support/http-client.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { serveProxy } from '../support/serve-proxy.ts';

/** RFC 9110 section 15: values outside of 100 to 599 are invalid. A final status is at least 200. */
const STATUSES = [0, 99, 100, 199, 200, 299, 451, 599, 600, 799, 999, 1000];

describe('a status', () => {
  for (const protocol of PROTOCOLS) {
    it(`over ${protocol} is that of the handler if it is from 200 to 599, else 500 with a line in the log`, async (t) => {
      const { port, errors } = await serveHandler(
        t,
        ({ path }) => new Response(Number(path.slice(1)), '', '', -1, 0, null),
        {
          protocol,
        },
      );
      for (const status of STATUSES) {
        const had = errors.length;
        const { status: received } = await fetchWhole(protocol, port, 'GET', `/${status}`);
        const isValid = status >= 200 && status <= 599;
        assert.equal(received, isValid ? status : 500, `${status}`);
        assert.equal(errors.length - had, isValid ? 0 : 1, `${status}`);
      }
    });

    it(`over ${protocol} is that of the backend if it is from 200 to 599, else 502 with a line in the log`, async (t) => {
      const backend = await startBackend(t, (head) => {
        const status = head.slice('GET /'.length, 'GET /200'.length);
        return `HTTP/1.1 ${status} Some\r\nContent-Length: 2\r\n\r\nok`;
      });
      const { port, failures } = await serveProxy(t, [backend.backend], { protocol });
      for (const status of STATUSES.filter((one) => one >= 200 && one <= 999)) {
        const had = failures.length;
        const { status: received } = await fetchWhole(protocol, port, 'GET', `/${status}`);
        assert.equal(received, status <= 599 ? status : 502, `${status}`);
        assert.equal(failures.length - had, status <= 599 ? 0 : 1, `${status}`);
      }
    });
  }
});
