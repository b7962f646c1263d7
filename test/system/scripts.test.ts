import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** As people write it for mod_wsgi: the script finds its own directory. */
const SCRIPT = `
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
from parts import TEXT

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{TEXT} from {__name__}'.encode()]
`;
const PARTS = { 'parts.py': 'TEXT = "a script"\n' };

async function served(t: TestContext, files: Readonly<Record<string, string>>, target: string): Promise<string> {
  const project = makeProject(t, files);
  const { port } = await startViaduct(t, [target, '--chdir', project, '--access-log', 'off'], { cwd: project });
  return (await ask(port, '/')).body;
}

describe('a script of mod_wsgi', () => {
  for (const [title, file, target] of [
    ['by its name', 'shop.wsgi', 'shop.wsgi'],
    ['with its callable', 'shop.wsgi', 'shop.wsgi:application'],
    ['with a hyphen in its name', 'my-shop.wsgi', 'my-shop.wsgi'],
  ] as const) {
    it(`is served ${title}`, async (t) => {
      const body = await served(t, { [file]: SCRIPT, ...PARTS }, target);
      assert.equal(body, `a script from ${file.replace('.wsgi', '')}`);
    });
  }

  it('is served by its path, from its own directory', async (t) => {
    const files = { 'web/app.wsgi': SCRIPT, 'web/parts.py': 'TEXT = "below"\n' };
    assert.equal(await served(t, files, 'web/app.wsgi'), 'below from app');
  });

  it('leaves the name to a module if there is no such file', async (t) => {
    const files = { 'shop/__init__.py': '', 'shop/wsgi.py': SCRIPT, 'shop/parts.py': 'TEXT = "a module"\n' };
    assert.equal(await served(t, files, 'shop.wsgi'), 'a module from shop.wsgi');
    assert.equal(await served(t, files, 'shop.wsgi:application'), 'a module from shop.wsgi');
  });

  it('is imported again by a reload, and watched in development', async (t) => {
    const project = makeProject(t, { 'app.wsgi': SCRIPT, ...PARTS });
    const { port } = await startViaduct(t, ['app.wsgi', '--dev', '--chdir', project], { cwd: project });
    assert.match((await ask(port, '/')).body, /^a script/);
    writeFileSync(join(project, 'app.wsgi'), SCRIPT.replace("f'{TEXT}", "f'changed"));
    await eventually('the new script answers', async () => (await ask(port, '/')).body.startsWith('changed'));
  });
});
