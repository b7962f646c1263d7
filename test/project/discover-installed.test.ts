import { doesNotMatch, equal, match } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { discover, fails, name } from '../support/discover.ts';
import { djangoFiles, FLASK_FACTORY, makeProject, WSGI_APP } from '../support/project.ts';
import { install, makeVenv } from '../support/venv.ts';

/** Nothing of it may be imported to find it. */
const WSGI = `raise SystemExit('it was imported')\n${WSGI_APP}`;

describe('a directory without a project, beside an environment', () => {
  it('gets a list of the applications that are installed, with what to type', async (t) => {
    const directory = makeProject(t, {});
    const packages = makeVenv(join(directory, 'venv'));
    install(packages, 'Bugs-in', { 'bugsin/__init__.py': '', 'bugsin/wsgi.py': WSGI });
    install(packages, 'deep', { 'deep/web/wsgi/__init__.py': FLASK_FACTORY });
    install(packages, 'Radicale', { 'radicale/__init__.py': WSGI });
    install(packages, 'pypiserver', { 'pypiserver/__init__.py': WSGI });
    install(packages, 'board', { 'board.py': '' }, '[paste.app_factory]\nmain = board:main\n');
    const { advice } = await fails(directory, /Cannot find an application/);
    match(advice, /^ {2}viaduct bugsin\.wsgi +\(Bugs-in 2\.1\)$/m);
    match(advice, /^ {2}viaduct deep\.web\.wsgi +\(deep 2\.1\)$/m);
    match(advice, /^ {2}viaduct radicale:application +\(Radicale 2\.1\)$/m);
    match(advice, /^ {2}viaduct "pypiserver:app\(\)" +\(pypiserver 2\.1\)$/m);
    match(advice, /^ {2}viaduct FILE\.ini +\(board 2\.1, with use = egg:board in its \[app:main\]\)$/m);
  });

  it('gets no libraries, tests and ASGI applications', async (t) => {
    const directory = makeProject(t, {});
    const packages = makeVenv(join(directory, 'venv'));
    install(packages, 'library', { 'library/wsgi.py': 'def get_path(environ):\n    pass\n' });
    install(packages, 'tested', { 'tested/tests/wsgi.py': WSGI });
    install(packages, 'asynchronous', { 'asynchronous/wsgi.py': 'async def app(scope, receive, send):\n    pass\n' });
    install(packages, 'demanding', { 'demanding/wsgi.py': 'def create_app(config):\n    pass\n' });
    const { advice } = await fails(directory, /Cannot find an application/);
    doesNotMatch(advice, /library|tested|asynchronous|demanding/);
    match(advice, /Name the application/);
  });

  it('gets a short list', async (t) => {
    const directory = makeProject(t, {});
    const packages = makeVenv(join(directory, 'venv'));
    for (let n = 10; n < 20; n += 1) install(packages, `site${n}`, { [`site${n}/wsgi.py`]: WSGI });
    match((await fails(directory, /Cannot find/)).advice, /viaduct site17\.wsgi +\(site17 2\.1\)\n {2}and 2 more$/);
  });
});

describe('an installed application', () => {
  it('is found by its name, and its directory is the current one', async (t) => {
    const directory = makeProject(t, {});
    install(makeVenv(join(directory, 'venv')), 'shop', { 'shop/__init__.py': '', 'shop/wsgi.py': FLASK_FACTORY });
    const project = await discover(directory, { target: 'shop.wsgi' });
    equal(project.directory, directory);
    equal(project.kind, 'flask');
    equal(await name(directory, { target: 'shop.wsgi' }), 'shop.wsgi:create_app()');
  });

  it('has no static files when it is Django, and says how to name its settings', async (t) => {
    const directory = makeProject(t, {});
    const wsgi = 'from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n';
    install(makeVenv(join(directory, 'venv')), 'shop', { 'shop/__init__.py': '', 'shop/wsgi.py': wsgi });
    const { findings, application } = await discover(directory, { target: 'shop.wsgi' });
    equal(application.callable, 'application');
    match(findings.at(-1)?.text ?? '', /settings are not known: set DJANGO_SETTINGS_MODULE/);
  });

  it('comes after a module of the project', async (t) => {
    const directory = makeProject(t, { 'src/shop/wsgi.py': WSGI_APP, 'src/shop/__init__.py': '' });
    install(makeVenv(join(directory, 'venv')), 'shop', djangoFiles('', 'shop'));
    equal((await discover(directory, { target: 'shop.wsgi' })).directory, join(directory, 'src'));
  });
});
