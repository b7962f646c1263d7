import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { toNode } from '../../src/api/entries/adapters.ts';
import { PACKAGE_ENTRIES, packageAliases } from '../../src/config/package-aliases.ts';
import { readTypeScriptFile } from '../../src/config/typescript-file.ts';
import { ViaductError } from '../../src/errors.ts';
import { ModuleLoader } from '../../src/site/modules.ts';
import { makeProject } from '../support/project.ts';
import { ROOT } from '../support/viaduct.ts';

interface Package {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
const ENTRIES = Object.entries(exports).flatMap(([name, files]) =>
  typeof files === 'string' ? [] : [{ name, files }],
);

/** The names that each entry exports beside types. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  viaduct: [
    ...['ViaductError', 'compose', 'createServer', 'defineConfig', 'pathText', 'pythonApp', 'serve', 'serveStatic'],
  ],
  'viaduct/middleware': [
    ...[
      'VIOLATIONS',
      'conditionalAuth',
      'dispatcher',
      'inputOf',
      'methodOverride',
      'recorder',
      'replayer',
      'requestId',
    ],
    ...['timing', 'transformResponse', 'validator'],
  ],
  'viaduct/handlers': [
    ...[
      'Response',
      'RunningRequests',
      'TokenBuckets',
      'accelRedirect',
      'addressList',
      'basicAuth',
      'bodyLimit',
      'canonicalHost',
      'changeResponse',
    ],
    ...['compression', 'cors', 'deriveRequest', 'errorPages', 'forwardAuth', 'handlerMiddleware', 'hashPassword'],
    ...['headers', 'httpsRedirect', 'maintenance', 'mapResponse', 'mount', 'rateLimit', 'readHtpasswd', 'redirect'],
    ...['placeholders', 'priority', 'requestField', 'requestLimit', 'requestTimeout', 'responseField'],
    ...['responseFields', 'rewrite', 'satisfyAny', 'securityHeaders', 'serverTiming', 'staticFiles'],
  ],
  'viaduct/adapters': ['fromFetch', 'fromNode', 'toFetch', 'toNode'],
  'viaduct/config': ['defineConfig'],
};

/** A module that imports one thing from each entry, as a file of a project would. */
const IMPORTS = `import { ViaductError } from 'viaduct';
import { toNode } from 'viaduct/adapters';
import { defineConfig } from 'viaduct/config';
import { rateLimit } from 'viaduct/handlers';
import { timing } from 'viaduct/middleware';
const imported: readonly unknown[] = [ViaductError, toNode, defineConfig, rateLimit, timing];
`;

describe('the entries of the package', () => {
  it('are those that files of a project find, and exist with their types', () => {
    assert.deepEqual(
      ENTRIES.map(({ name }) => name),
      ['.', ...PACKAGE_ENTRIES.map((name) => `./${name}`)],
    );
    for (const { files } of ENTRIES) {
      assert.ok(existsSync(join(ROOT, files.types)) && existsSync(join(ROOT, files.default)), files.default);
    }
    const aliased = Object.values(packageAliases()).map((path) => path.slice(path.lastIndexOf('/src/') + 5));
    const exported = ENTRIES.map(({ files }) => files.default.replace('./dist/', ''));
    assert.deepEqual(aliased.sort(), exported.sort());
  });

  for (const [name, names] of Object.entries(NAMES)) {
    it(`export what is documented: ${name}`, async () => {
      assert.deepEqual(Object.keys(await import(name)).sort(), [...names].sort());
    });
  }

  it('share no name but defineConfig and names of types', () => {
    const all = Object.values(NAMES).flat();
    assert.deepEqual(
      all.filter((name, index) => all.indexOf(name) !== index),
      ['defineConfig'],
    );
  });

  it('are found by applications and middleware of a project without node_modules, with the classes of the server', async (t) => {
    const project = makeProject(t, {
      'app.ts': `${IMPORTS}export const application = () => imported;\n`,
      'around.mts': `${IMPORTS}export const middleware = () => imported;\n`,
    });
    const loader = new ModuleLoader();
    const application = await loader.application({ module: join(project, 'app.ts'), export: '' });
    const imported = (application as unknown as () => unknown[])();
    assert.equal(imported[0], ViaductError);
    assert.equal(imported[1], toNode);
    assert.ok(imported.every((value) => typeof value === 'function'));
    const middleware = await loader.middleware({ module: join(project, 'around.mts'), export: '' }, {});
    assert.deepEqual((middleware as unknown as () => unknown[])(), imported);
  });

  it('are found by settings files, also where the project has another package named viaduct', async (t) => {
    const project = makeProject(t, {
      'viaduct.config.ts': `${IMPORTS}export default defineConfig({ workers: imported.length });\n`,
      'node_modules/viaduct/package.json': '{ "name": "viaduct", "main": "./none.js" }',
    });
    const file = await readTypeScriptFile(join(project, 'viaduct.config.ts'), 'viaduct.config.ts');
    assert.deepEqual('entries' in file ? file.entries : file, [['workers', 5]]);
  });
});
