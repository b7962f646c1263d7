import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';

const APP = `def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello']
`;

/** Routes whose files are not there, and a path of each. */
const ROUTES = `[[route]]
path = "/media/*"
static = "media"

[[route]]
path = "/page/*"
static = "pages"
static_options = { fallback = "index.html" }

[[route]]
path = "/file/*"
static = "app.py"
`;

describe('a route for files that are not there', () => {
  it('is reported, answers 404, and serves the files as soon as they are there', async (t) => {
    const project = makeProject(t, { 'app.py': APP, 'viaduct.toml': `workers = 1\n${ROUTES}` });
    mkdirSync(join(project, 'pages'));
    const checked = await runViaduct(project, 'check');
    assert.equal(checked.code, 0, checked.output);
    const viaduct = await startViaduct(t, ['serve'], { cwd: project });
    for (const log of [checked.output, viaduct.output()]) {
      const output = log.replaceAll('\\"', '"');
      assert.match(output, /Cannot serve files below "\/media\/": ".*media" does not exist/);
      assert.match(output, /Cannot serve files below "\/page\/": its fallback "index.html" does not exist/);
      assert.match(output, /Cannot serve files below "\/file\/": ".*app.py" is not a directory/);
    }
    for (const path of ['/media/a.txt', '/page/x', '/file/app.py']) {
      assert.equal((await ask(viaduct.port, path)).status, 404, path);
    }
    assert.equal((await ask(viaduct.port, '/')).body, 'hello');
    mkdirSync(join(project, 'media'));
    writeFileSync(join(project, 'media/b.txt'), 'there');
    assert.equal((await ask(viaduct.port, '/media/b.txt')).body, 'there');
  });
});
