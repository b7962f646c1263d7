import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FAMILIES } from '../../src/placeholders/families.ts';
import { STANDARD } from '../../src/placeholders/standard.ts';
import { ask } from '../support/http-client.ts';
import type { HttpRequest } from '../support/http-message.ts';
import { codeBlocks, codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

const PAGE = readPage('placeholders.md');
const APP = `
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"application"]
`;

const exampleOf = (text: string): string => codeBlocks(text).find(({ language }) => language === 'toml')?.text ?? '';
const projectWith = (t: TestContext, config: string): string =>
  makeProject(t, { 'app.py': APP, 'viaduct.toml': config });

/** What a route answers: the status with the target of the redirect or the content. */
async function answers(t: TestContext, config: string) {
  const { port } = await startViaduct(t, [], { cwd: projectWith(t, config) });
  return async (target: string, request: HttpRequest = {}) => {
    const { status, body, header } = await ask(port, target, request);
    return `${status} ${header('location') ?? body}`;
  };
}

describe('docs/placeholders.md', () => {
  it('has all placeholders, and no others', () => {
    const rows = tableRows(sectionOf(PAGE, 'All placeholders'));
    const names = rows.flatMap(([cell = '']) => codeWords(cell).map((word) => word.replace(/[{}]/g, '')));
    const families = [...FAMILIES.keys()].map((prefix) => `${prefix}.NAME`);
    const expected = [...STANDARD.keys(), ...families, 'map.NAME', '1', '2', 'NAME'];
    assert.deepEqual(names.sort(), expected.sort());
  });

  it('has an example with the groups of a path', async (t) => {
    const answer = await answers(t, exampleOf(PAGE));
    assert.equal(await answer('/user/jane/a/b?c=d'), '302 https://users.example.org/jane/a/b?c=d');
    assert.equal(await answer('/user/j%C3%A4ne/a%3Fb'), '302 https://users.example.org/j%C3%A4ne/a%3Fb');
    assert.equal(await answer('/other'), '200 application');
  });

  it('has an example with maps', async (t) => {
    const answer = await answers(t, exampleOf(sectionOf(PAGE, 'Maps')));
    assert.equal(await answer('/where', { host: 'www.shop.DE:80' }), '200 Hello, Germany!\n');
    assert.equal(await answer('/where', { host: 'shop.example.org' }), '200 Hello, France!\n');
    assert.equal(await answer('/where', { host: 'de' }), '200 Hello, the world!\n');
    assert.equal(await answer('/about.html'), '301 /about/');
    assert.equal(await answer('/shop.php?a=b'), '301 https://shop.example.org/?a=b');
    assert.equal(await answer('/blog/12/caf%C3%A9'), '301 /articles/caf%C3%A9?id=12');
    assert.equal(await answer('/blog/x/y'), '200 application');
  });

  it('has an example with conditions', async (t) => {
    const config = exampleOf(sectionOf(PAGE, 'Conditions'));
    const answer = await answers(t, config);
    assert.equal(await answer('/', { headers: [['User-Agent', 'curl/8.5']] }), '403 Use a browser.\n');
    assert.equal(await answer('/', { headers: [['User-Agent', 'not curl/8.5']] }), '200 application');
    assert.equal(await answer('/', { headers: [['Cookie', 'beta=1']] }), '200 The beta.\n');
    assert.equal(await answer('/', { headers: [['Cookie', 'beta=1']], method: 'POST' }), '200 application');
    assert.equal(await answer('/', { headers: [['Cookie', 'beta=']] }), '200 application');
    assert.equal(await answer('/a?b', { host: 'OLD.example.org' }), '302 https://new.example.org/a?b');
    assert.equal(await answer('/a?keep=1', { host: 'old.example.org' }), '200 application');
  });

  it('says that viaduct check shows conditions', async (t) => {
    const config = exampleOf(sectionOf(PAGE, 'Conditions'));
    const { output, code } = await runViaduct(projectWith(t, config), 'check');
    assert.equal(code, 0, output);
    assert.match(output, /if \{header\.User-Agent\} matches \^\(curl\|Wget\)\/ → .*respond 403/);
    assert.match(output, /\/\* if \{cookie\.beta\} is present if \{method\} is not "POST" or "PUT" → .*respond 200/);
  });

  it('promises the same names in answers, fields and the access log', async (t) => {
    const text = '{server.address}:{server.port} {client.address} {tls.version}{map.kind} {query.q}';
    const config = [
      `access_log_format = 'line ${text}'`,
      `[map.kind]\nsource = "{header.X-Kind}"\nvalues = { a = "A" }`,
      `[[route]]\nrespond = { body = "${text}" }\nheaders = { set = { "X-Same" = "${text}" } }`,
    ];
    const viaduct = await startViaduct(t, [], { cwd: projectWith(t, config.join('\n')) });
    const { body, header } = await ask(viaduct.port, '/?q=1%0A2', { headers: [['X-Kind', 'a']] });
    const start = `127.0.0.1:${viaduct.port} 127.0.0.1 A `;
    assert.equal(body, `${start}1\n2`);
    assert.equal(header('x-same'), `${start}1%0A2`);
    await viaduct.stop();
    assert.ok(viaduct.output().includes(`line 127.0.0.1:${viaduct.port} 127.0.0.1 -A 1\\x0A2\n`), viaduct.output());
  });

  it('promises an error with the name that was meant', async (t) => {
    const config =
      'headers = { set = { "X-A" = "{hots}" } }\n[map.a]\nsource = "{map.a}"\n[[route]]\nredirect = "/{statsu}"';
    const { output, code } = await runViaduct(projectWith(t, config), 'check');
    assert.equal(code, 2, output);
    assert.match(output, /viaduct\.toml:1.*\{hots\} in header "X-A".*did you mean \{host\}\?/);
    assert.match(output, /map\.a: it needs itself: map\.a → map\.a/);
    assert.match(output, /viaduct\.toml:5.*did you mean \{status\}\?/);
  });
});
