import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { installPackage } from '../support/installed-package.ts';
import { ROOT } from '../support/viaduct.ts';

/** Uses every entry of the package as programs do, and names as they must not be used. */
const CONSUMER = `import {
  type Application, compose, createServer, type Middleware, pythonApp, serve, serveStatic, ViaductError, type ViaductServer,
} from 'viaduct';
import { fromFetch, fromNode, toFetch, toNode } from 'viaduct/adapters';
import { type Config, defineConfig, type RouteConfig } from 'viaduct/config';
import {
  basicAuth, changeResponse, compression, type Handler, handlerMiddleware, mapResponse, type Next, rateLimit, type Request, Response,
} from 'viaduct/handlers';
import { requestId, timing, transformResponse, type Violation, validator } from 'viaduct/middleware';

const route: RouteConfig = { path: '/a', rateLimit: { rate: '1/s', burst: 2 }, staticOptions: { cacheControl: [] } };
const config: Config = defineConfig({ workers: 4, headerTimeoutMs: '10s', processes: 2, route: [route] });
// @ts-expect-error: the key of TOML
defineConfig({ header_timeout_ms: 1 });
// @ts-expect-error: the key of TOML in a route
defineConfig({ route: [{ rate_limit: true }] });
// @ts-expect-error: a setting of the command
await createServer({ processes: 2 });
// @ts-expect-error: only one of them
await serve({ fetch: () => new globalThis.Response(), python: '.' });
// @ts-expect-error: one of them is missing
await serve({ port: 8000 });

const application: Application = (environ, startResponse) => {
  const write: (block: Uint8Array) => Promise<void> = startResponse('200 OK', [['X-Path', environ.PATH_INFO]]);
  void write(new Uint8Array(environ.HTTP_X_Y?.length ?? 0));
  return [Buffer.from(String(environ['my.key']))];
};
const own: Handler = (request: Request, next: Next) =>
  mapResponse(next(request), (response) => changeResponse(response, { set: ['X-A', request.path] }));
const refuse: Handler = () => Response.text(403, 'no');
const violations: Violation[] = [];
const middleware: Middleware = compose(
  requestId(), timing({ name: 'app' }), validator({ onViolation: (violation) => violations.push(violation) }),
  transformResponse((response) => ({ headers: [...response.headers] })), serveStatic('/s/', 'dist', { immutable: 'always' }),
  handlerMiddleware(own), handlerMiddleware(refuse), handlerMiddleware(compression({ encodings: ['gzip'] })),
  handlerMiddleware(rateLimit({ per: { header: 'X-Key' }, ratePerSecond: 1, burst: 1 })),
  handlerMiddleware(basicAuth({ users: new Map() })),
);
const server: ViaductServer = await serve({ fetch: async (request, { remoteAddress }) => new globalThis.Response(request.url + remoteAddress) });
await using other = await createServer({ application: middleware(application), tls: { selfSigned: true }, ...config.tls });
const python = pythonApp({ project: 'a:b', workers: 2 });
const answer: globalThis.Response = await toFetch(python)(new globalThis.Request('http://a/'));
toNode(fromNode((_req, res) => res.end()), { mount: '/a' });
fromFetch(() => answer);
const code: string = new ViaductError('USAGE', other.url).code;
await server.stop();
export { code };
`;

const SETTINGS = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
} as const;

describe('the types of the package, installed from its archive', { concurrency: 2 }, () => {
  const project = installPackage();
  writeFileSync(join(project, 'consumer.ts'), CONSUMER);
  after(() => rmSync(project, { recursive: true, force: true }));

  for (const [name, options] of Object.entries(SETTINGS)) {
    it(`resolve and are strict in all entries, with ${name}, beside the dependencies of the package and @types/node`, () => {
      const file = join(project, `tsconfig.${name}.json`);
      const compilerOptions = {
        ...{ ...options, target: 'es2022', strict: true, exactOptionalPropertyTypes: true },
        ...{ noUncheckedIndexedAccess: true, skipLibCheck: false, noEmit: true, types: ['node'] },
      };
      writeFileSync(file, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', file], { encoding: 'utf8' });
      assert.equal(stdout, '');
      assert.equal(status, 0);
    });
  }

  it('leave no module of the package importable but its entries', async () => {
    writeFileSync(join(project, 'deep.mjs'), "await import('viaduct/dist/errors.js');\n");
    const { stderr } = spawnSync(process.execPath, [join(project, 'deep.mjs')], { encoding: 'utf8' });
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });
});
