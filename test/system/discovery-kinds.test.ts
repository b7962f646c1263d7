import { equal, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN, NO_PACKAGES, startViaduct } from '../support/viaduct.ts';

const BOARD = `
import logging

def make(global_config, greeting='none', **settings):
    logging.getLogger('board').info('made with %s', global_config['here'])
    def application(environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [greeting.encode()]
    return application

def upper(application, global_config):
    def filtered(environ, start_response):
        return [block.upper() for block in application(environ, start_response)]
    return filtered
`;

const PRODUCTION = `
[app:main]
paste.app_factory = board:make
greeting = hello from %(here)s

[app:plain]
paste.app_factory = board:make

[filter:upper]
paste.filter_app_factory = board:upper

[pipeline:loud]
pipeline = upper plain

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = short

[logger_root]
level = INFO
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = short

[formatter_short]
format = BOARD %(message)s
`;

function check(cwd: string, args: readonly string[] = []) {
  const { DJANGO_SETTINGS_MODULE, VIRTUAL_ENV, FLASK_APP, ...env } = process.env;
  const options = { cwd, env, encoding: 'utf8', timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'check', ...args], options);
  return { status, output: stdout + stderr };
}

const project = (t: TestContext, files: Record<string, string>, name?: string) =>
  makeProject(t, files, { venv: '.venv', ...(name === undefined ? {} : { name }) });

describe('a file of PasteDeploy', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  const files = { 'board.py': BOARD, 'production.ini': PRODUCTION };

  it('is served, with its loggers, at a path with spaces and other letters', async (t) => {
    const directory = project(t, files, 'größe # 100 und 项目');
    const { status, output } = check(directory);
    equal(status, 0, output);
    match(output, /application +production\.ini \(PasteDeploy, \[app:main\]\)/);
    const server = await startViaduct(t, [], { cwd: directory });
    const { body } = await ask(server.port, '/');
    equal(Buffer.from(body, 'latin1').toString(), `hello from ${directory}`);
    match(server.output(), /BOARD made with .*项目/);
    ok(!server.output().includes('viaduct_worker'), server.output());
  });

  it('is served with the pipeline that is named', async (t) => {
    const { port } = await startViaduct(t, ['production.ini#loud', '--dev'], { cwd: project(t, files) });
    equal((await ask(port, '/')).body, 'NONE');
  });

  it('says in its own name that its application cannot be imported', (t) => {
    const directory = project(t, { 'production.ini': '[app:main]\npaste.app_factory = nowhere_at_all:make\n' });
    const { status, output } = check(directory, ['production.ini']);
    equal(status, 1);
    match(output, /Cannot import "production\.ini": .*nowhere_at_all/);
  });
});

describe('a factory with arguments', { skip: NO_PACKAGES }, () => {
  it('is called with them, by check and serve', async (t) => {
    const factory = `
from flask import Flask
def create_app(config, *, name='none'):
    app = Flask(__name__)
    app.add_url_rule('/', view_func=lambda: f'{config} {name}', endpoint='index')
    return app
`;
    const directory = project(t, { 'shop.py': factory });
    const target = `shop:create_app('prod', name="it's")`;
    match(check(directory, [target]).output, /application +shop:create_app\('prod', name="it's"\) \(Flask\)/);
    const { port } = await startViaduct(t, [target], { cwd: directory });
    equal((await ask(port, '/')).body, "prod it's");
  });
});

describe('an ASGI application that only its import shows', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  for (const [source, said] of [
    ['import falcon.asgi as f\napp = f.App()\n', /falcon\.App instead of falcon\.asgi\.App/],
    ['from a2wsgi import WSGIMiddleware\napp = WSGIMiddleware(lambda environ, start_response: [])\n', /an ASGI server/],
    [
      'from django.core.asgi import get_asgi_application\nfrom django.conf import settings\nsettings.configure()\napp = get_asgi_application()\n',
      /serve the project's wsgi\.py/,
    ],
  ] as const) {
    it(`is refused with a sentence when it is made by ${source.split(/[ .]/)[1]}`, (t) => {
      const { status, output } = check(project(t, { 'app.py': source }));
      equal(status, 1, output);
      match(output, /Cannot import "app:app": it is an ASGI application, and only WSGI is supported/);
      match(output, said);
      ok(!output.includes('Traceback'), output);
    });
  }
});

describe('an exception of a Flask view in development', { skip: NO_PACKAGES }, () => {
  it('is shown with its traceback, also when Flask has a page for it', async (t) => {
    const app = `
from flask import Flask
def create_app():
    app = Flask(__name__)
    app.register_error_handler(500, lambda error: ('a page of its own', 500))
    @app.get('/')
    def index():
        raise ValueError('on purpose')
    return app
`;
    const directory = project(t, {
      'shop/__init__.py': app,
      'wsgi.py': 'import shop\napplication = shop.create_app()\n',
    });
    const { port } = await startViaduct(t, ['--dev'], { cwd: directory });
    const { status, body } = await ask(port, '/', { headers: [['Accept', 'text/html']] });
    equal(status, 500);
    match(body, /in index/);
    match(body, /ValueError: on purpose/);
    const production = await startViaduct(t, [], { cwd: directory });
    equal((await ask(production.port, '/')).body, 'a page of its own');
  });
});
