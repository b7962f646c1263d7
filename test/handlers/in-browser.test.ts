import { deepEqual, equal, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { basicAuth } from '../../src/handlers/auth/basic-auth.ts';
import { hashPassword } from '../../src/handlers/auth/passwords.ts';
import { cors } from '../../src/handlers/headers/cors.ts';
import { headers } from '../../src/handlers/headers/headers.ts';
import { securityHeaders } from '../../src/handlers/headers/security-headers.ts';
import { redirect } from '../../src/handlers/rewriting/redirect.ts';
import { requestField } from '../../src/http/derived-request.ts';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { NO_BROWSER, openBrowser } from '../support/browser.ts';
import { type Lifetime, suiteLifetime } from '../support/lifetime.ts';
import { type Served, serveHandler } from '../support/serve-handler.ts';

const PAGE = '<!doctype html><meta charset="utf-8"><title>page</title><p id="p">page</p>';
const page = () => Response.fromHeaders(200, ['Content-Type', 'text/html; charset=utf-8'], Buffer.from(PAGE));

/** Calls `run` with a server for the chain. */
async function serving(lifetime: Lifetime, served: Served, run: (origin: string) => Promise<void>): Promise<void> {
  const server = await serveHandler(lifetime, served);
  await run(`http://127.0.0.1:${server.port}`);
  deepEqual(server.errors, []);
}

describe('a browser', { skip: NO_BROWSER }, () => {
  const suite = suiteLifetime();
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser.close());

  it('lets only pages of allowed origins use CORS', async () => {
    await serving(suite, page, async (site) => {
      const seen: string[] = [];
      const application = ({ method }: Request) => {
        seen.push(method);
        return Response.text(200, 'data', ['X-Total', '3', 'Set-Cookie', 'a=1']);
      };
      const allowed = cors({
        origins: [site],
        methods: ['PUT'],
        headers: ['X-Token'],
        exposedHeaders: ['X-Total'],
        credentials: true,
      });
      const tab = await browser.newPage();
      await tab.goto(site);
      const put = (url: string, method: string, header: string) =>
        tab.evaluate(
          async ([to, verb, name]) => {
            try {
              const answer = await fetch(to as string, {
                method: verb as string,
                headers: { [name as string]: '1' },
                credentials: 'include',
              });
              return `${await answer.text()} ${answer.headers.get('x-total')} ${answer.headers.get('x-hidden')}`;
            } catch {
              return 'refused';
            }
          },
          [url, method, header],
        );
      await serving(suite, [allowed, application], async (api) => {
        equal(await put(`${api}/`, 'PUT', 'X-Token'), 'data 3 null');
        equal(await put(`${api}/`, 'DELETE', 'X-Token'), 'refused');
        equal(await put(`${api}/`, 'PUT', 'X-Other'), 'refused');
        deepEqual(seen, ['PUT']);
      });
      await serving(
        suite,
        [cors({ origins: ['https://other.example'], methods: ['PUT'] }), application],
        async (api) => {
          equal(await put(`${api}/`, 'PUT', 'X-Token'), 'refused');
        },
      );
      await tab.close();
    });
  });

  it('sends a name and a password outside of ASCII', async () => {
    const users = new Map([['jörg', await hashPassword('schlüssel €')]]);
    const chain = [basicAuth({ users, userHeader: 'X-Remote-User' })];
    const application = (request: Request) =>
      Response.text(200, Buffer.from(requestField(request, 'x-remote-user') ?? '', 'latin1').toString());
    await serving(suite, [...chain, application], async (site) => {
      const context = await browser.newContext({ httpCredentials: { username: 'jörg', password: 'schlüssel €' } });
      const tab = await context.newPage();
      equal((await tab.goto(site))?.status(), 200);
      equal(await tab.textContent('body'), 'jörg');
      await context.close();
      const stranger = await browser.newPage();
      const answer = await stranger.request.get(site);
      equal(answer.status(), 401);
      await stranger.close();
    });
  });

  it('does not frame a page with the security headers, and runs no script that the policy forbids', async () => {
    const inline = `${PAGE}<script>document.title = 'ran'</script>`;
    const answer = () => Response.fromHeaders(200, ['Content-Type', 'text/html'], Buffer.from(inline));
    const chain = [
      securityHeaders({ contentSecurityPolicy: "default-src 'self'" }),
      headers({ response: { set: ['X-Was', '{path}'] } }),
    ];
    await serving(suite, [...chain, answer], async (site) => {
      const tab = await browser.newPage();
      const shown = await tab.goto(`${site}/a`);
      equal(shown?.headers()['x-was'], '/a');
      equal(await tab.title(), 'page');
      const framing = () =>
        Response.fromHeaders(200, ['Content-Type', 'text/html'], Buffer.from(`<iframe src="${site}/"></iframe>`));
      await serving(suite, framing, async (other) => {
        await tab.goto(other.replace('127.0.0.1', 'localhost'));
        const frame = tab.frames()[1];
        equal(await frame?.locator('#p').count(), 0);
      });
      await tab.close();
    });
  });

  it('stays on the site of a redirect with any path', async () => {
    await serving(suite, [redirect({ to: '/{1}', pattern: '^/go/(.*)$' }), page], async (site) => {
      const tab = await browser.newPage();
      for (const path of [
        '/go//evil.example/x',
        '/go/\\evil.example',
        '/go/%5Cevil.example',
        '/go/https://evil.example',
      ]) {
        await tab.goto(site + path);
        match(tab.url(), new RegExp(`^${site}/(?!go/)`), path);
      }
      const refused = await tab.goto(`${site}/go/%0d%0aX:y`);
      deepEqual([refused?.status(), refused?.headers().x], [400, undefined]);
      await tab.close();
    });
  });
});
