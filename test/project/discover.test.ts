import { equal, match, ok } from 'node:assert/strict';
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { applicationName } from '../../src/project/project.ts';
import { discover, fails, name } from '../support/discover.ts';
import { FLASK_APP, FLASK_FACTORY, makeProject, WSGI_APP } from '../support/project.ts';
import { makeVenv } from '../support/venv.ts';

describe('the application of a directory', () => {
  for (const [files, expected] of [
    [{ 'app.py': WSGI_APP }, 'app:application'],
    [{ 'wsgi.py': WSGI_APP, 'app.py': FLASK_APP }, 'wsgi:application'],
    [{ 'app.py': FLASK_APP }, 'app:app'],
    [{ 'passenger_wsgi.py': WSGI_APP, 'app.py': FLASK_APP }, 'passenger_wsgi:application'],
    [{ 'application.py': FLASK_FACTORY, 'main.py': FLASK_APP }, 'application:create_app()'],
    [{ 'app/__init__.py': WSGI_APP, 'app.py': FLASK_APP }, 'app:application'],
    [
      { 'shop.py': '', 'app/__init__.py': 'from . import app\ndef create_app(): ...', 'app/app.py': '' },
      'app:create_app()',
    ],
    [{ 'main.py': FLASK_APP }, 'main:app'],
    [{ 'app.py': FLASK_FACTORY }, 'app:create_app()'],
    [{ 'app/__init__.py': FLASK_FACTORY }, 'app:create_app()'],
    [{ 'app.py': 'import app as app_module\nfrom flask import Flask\napplication = Flask("x")\n' }, 'app:application'],
    [{ 'wsgi.py': 'from shop import app as application\n', 'shop/__init__.py': '' }, 'wsgi:application'],
    [{ 'wsgi.py': 'try:\n    from x import application\nexcept ImportError:\n    raise\n' }, 'wsgi:application'],
    [{ 'src/app.py': FLASK_APP }, 'app:app'],
    [{ 'flaskr/__init__.py': FLASK_FACTORY }, 'flaskr:create_app()'],
    [{ 'src/flaskr/__init__.py': FLASK_FACTORY }, 'flaskr:create_app()'],
    [{ 'hello.py': FLASK_APP, 'tests/__init__.py': FLASK_APP, 'conftest.py': FLASK_FACTORY }, 'hello:app'],
    [{ 'manage.py': 'from flask_script import Manager\n', 'app.py': FLASK_APP }, 'app:app'],
    [
      { '.flaskenv': 'FLASK_APP="shop.web"\n', 'shop/web.py': FLASK_FACTORY, 'shop/__init__.py': '' },
      'shop.web:create_app()',
    ],
    [
      { 'main.py': 'from fastapi import FastAPI\napp = FastAPI()\n', 'flaskr/__init__.py': FLASK_FACTORY },
      'flaskr:create_app()',
    ],
    [{ 'app.py': '# coding: latin-1\n# \u00e9\n' }, 'app'],
    [{ 'app.py': 'def application(:\n' }, 'app'],
    [{ 'main.py': 'def application(:\n' }, 'main'],
    [{ 'wsgi.py': 'from shop import *\n' }, 'wsgi'],
  ] as const satisfies readonly (readonly [Record<string, string>, string])[]) {
    it(`is ${expected} with ${Object.keys(files).join(', ')}`, async (t) =>
      equal(await name(makeProject(t, files)), expected));
  }

  it('has src as its directory when it is in src', async (t) => {
    const project = makeProject(t, { 'src/app.py': FLASK_APP });
    const { directory, kind } = await discover(project);
    equal(directory, join(project, 'src'));
    equal(kind, 'flask');
  });

  it('is found when the path contains spaces and letters of any language', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP }, { name: 'mein größtes 项目' });
    equal((await discover(project)).directory, project);
  });

  it('is found when Python puts no directory of a script on sys.path', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    equal(await name(project, { env: { PYTHONSAFEPATH: '1' } }), 'app:application');
  });

  it('gets a hint when it would start another Python in place of the worker', async (t) => {
    const passenger = `import os, sys\nif sys.executable != '/opt/python':\n    os.execl('/opt/python', '/opt/python', *sys.argv)\n${WSGI_APP}`;
    const { findings } = await discover(makeProject(t, { 'passenger_wsgi.py': passenger }));
    match(findings.at(-1)?.text ?? '', /passenger_wsgi starts another Python, .* --python/);
  });

  it('is the one in FLASK_APP', async (t) => {
    const project = makeProject(t, { 'shop/web.py': FLASK_FACTORY, 'app.py': FLASK_APP });
    equal(await name(project, { env: { FLASK_APP: 'shop/web.py' } }), 'shop.web:create_app()');
    equal(await name(project, { env: { FLASK_APP: './shop/web.py:create_app()' } }), 'shop.web:create_app()');
    equal(await name(project, { env: { FLASK_APP: 'shop.web:create_app' } }), 'shop.web:create_app()');
    const called = { env: { FLASK_APP: "shop.web:create_app('test', debug = True)" } };
    equal(await name(project, called), "shop.web:create_app('test', debug=True)");
    await fails(project, /its argument os\.environ\['X'\] is not a literal/, {
      env: { FLASK_APP: "shop.web:create_app(os.environ['X'])" },
    });
  });

  it('is missing, with advice, when the directory is empty', async (t) => {
    match((await fails(makeProject(t, {}), /Cannot find an application/)).advice, /MODULE:CALLABLE/);
    await fails(makeProject(t, { 'tool.py': 'print(1)\n', 'main.py': 'print(2)\n' }), /Cannot find an application/);
  });

  it('is not chosen when several are possible', async (t) => {
    await fails(makeProject(t, { 'one.py': FLASK_APP, 'two.py': FLASK_APP }), /several: one, two/);
  });

  it('is refused when it is ASGI, or a factory that needs arguments', async (t) => {
    await fails(makeProject(t, { 'main.py': 'import fastapi\napp = fastapi.FastAPI()\n' }), /ASGI/);
    await fails(makeProject(t, { 'app.py': 'async def app(scope, receive, send):\n    pass\n' }), /ASGI/);
    const factory = makeProject(t, { 'app.py': 'def create_app(config, *, debug=False):\n    pass\n' });
    match((await fails(factory, /create_app needs arguments/)).advice, /wsgi\.py/);
  });
});

describe('a named application', () => {
  const files = {
    'app.py': FLASK_FACTORY,
    'shop/__init__.py': '',
    'shop/web.py': FLASK_APP,
    'notes.txt': '',
    'empty/x': '',
  };
  for (const [target, expected] of [
    ['app', 'app:create_app()'],
    ['app.py', 'app:create_app()'],
    ['./app.py', 'app:create_app()'],
    ['app.py:create_app()', 'app:create_app()'],
    ['app:create_app()', 'app:create_app()'],
    ['app:other.inner', 'app:other.inner'],
    ["app:create_app('a)', -2, key = [None])", "app:create_app('a)', -2, key=[None])"],
    ["app.py:create_app({'file': 'x.py:app'})", "app:create_app({'file': 'x.py:app'})"],
    ['shop.web', 'shop.web:app'],
    ['shop.web:app', 'shop.web:app'],
    ['shop/web.py', 'shop.web:app'],
    ['shop/web.py:app', 'shop.web:app'],
    ['nowhere:app', 'nowhere:app'],
  ] as const) {
    it(`is ${expected} for ${target}`, async (t) => {
      const project = makeProject(t, files);
      const discovered = await discover(project, { target });
      equal(applicationName(discovered.application), expected);
      equal(discovered.directory, project);
    });
  }

  it('is found in src', async (t) => {
    const project = makeProject(t, { 'src/shop/__init__.py': '', 'src/shop/web.py': FLASK_APP });
    const { directory, application } = await discover(project, { target: 'shop.web:app' });
    equal(directory, join(project, 'src'));
    equal(applicationName(application), 'shop.web:app');
  });

  it('is found in another directory, absolute or relative', async (t) => {
    const project = makeProject(t, { 'sub dir/app.py': WSGI_APP });
    equal((await discover(project, { target: 'sub dir' })).directory, join(project, 'sub dir'));
    equal((await discover('/', { target: join(project, 'sub dir') })).directory, join(project, 'sub dir'));
  });

  for (const target of [
    'nothing/here',
    'nothing.txt/',
    'notes.txt',
    'no.py',
    'a b',
    'app:',
    'app:x y',
    'app:create_app(',
    '',
  ]) {
    it(`is refused with a message when it is ${JSON.stringify(target)}`, async (t) => {
      const project = makeProject(t, files);
      if (target === '') await fails(join(project, 'nothing'), /no such file or directory/);
      else await fails(project, /Cannot serve/, { target });
    });
  }
});

describe('a factory with arguments', () => {
  for (const [text, argument] of [
    ['create_app(CONFIG)', 'CONFIG'],
    ['create_app(open("x"))', "open\\('x'\\)"],
    ['create_app(*[1])', '\\*\\[1\\]'],
    ['create_app(**{})', '\\*\\*{}'],
    ['create_app(f"{x}")', ''],
  ] as const) {
    it(`is refused when it is ${text}`, async (t) => {
      const error = await fails(
        makeProject(t, { 'app.py': FLASK_FACTORY }),
        new RegExp(`argument ${argument}.*not a literal`),
        {
          target: `app:${text}`,
        },
      );
      match(error.advice, /wsgi\.py/);
    });
  }

  it('is refused when something else than a name is called', async (t) => {
    const project = makeProject(t, { 'app.py': FLASK_FACTORY });
    await fails(project, /not a call of a name/, { target: 'app:create_app()()' });
    await fails(project, /not a call of a name/, { target: 'app:create_app(1) or f()' });
  });
});

describe('the interpreter of a project', () => {
  for (const directory of ['.venv', 'venv', 'env']) {
    it(`is the one in ${directory}, even for a target in a subdirectory`, async (t) => {
      const project = makeProject(t, { 'app.py': WSGI_APP, 'deep/er/app.py': WSGI_APP });
      makeVenv(join(project, directory));
      for (const target of ['.', 'deep/er']) {
        const { python, environment } = await discover(project, { target });
        equal(python.path, join(project, directory, 'bin/python'));
        equal(python.source, directory);
        match(python.version, /^3\.\d+\.\d+$/);
        equal(environment.VIRTUAL_ENV, join(project, directory));
        ok(environment.PATH?.startsWith(`${join(project, directory, 'bin')}:`));
      }
    });
  }

  it('is the active one only when the project has none', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP, 'elsewhere/x': '' });
    makeVenv(join(project, 'elsewhere/active'));
    const env = { VIRTUAL_ENV: join(project, 'elsewhere/active') };
    equal((await discover(project, { env })).python.source, 'VIRTUAL_ENV');
    makeVenv(join(project, '.venv'));
    equal((await discover(project, { env })).python.source, '.venv');
  });

  it('is the configured one, an executable or an environment', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    makeVenv(join(project, 'my venv'));
    const path = join(project, 'my venv/bin/python');
    equal((await discover(project, { python: path })).python.path, path);
    equal((await discover(project, { python: join(project, 'my venv') })).python.path, path);
  });

  it('is in the subdirectory that contains manage.py', async (t) => {
    const project = makeProject(t, { 'backend/manage.py': '', 'app.py': WSGI_APP });
    makeVenv(join(project, 'backend/.venv'));
    equal((await discover(project)).python.path, join(project, 'backend/.venv/bin/python'));
  });

  for (const [tool, file, args] of [
    ['poetry', 'poetry.lock', 'env info --path'],
    ['pipenv', 'Pipfile', '--venv'],
  ] as const) {
    it(`is the one of ${tool}, with a hint when ${tool} has none`, async (t) => {
      const project = makeProject(t, { 'app.py': WSGI_APP, [file]: '', 'tools/x': '', 'else where/x': '' });
      makeVenv(join(project, 'else where/managed'));
      const script = join(project, 'tools', tool);
      const env = { PATH: `${join(project, 'tools')}:${process.env.PATH}` };
      writeFileSync(script, `#!/bin/sh\n[ "$*" = "${args}" ] && echo "${join(project, 'else where/managed')}"\n`);
      chmodSync(script, 0o755);
      const { python, findings } = await discover(project, { env });
      equal(python.source, tool);
      equal(python.path, join(project, 'else where/managed/bin/python'));
      ok(!findings.some(({ level }) => level === 'hint'));
      writeFileSync(script, '#!/bin/sh\nexit 1\n');
      const doubtful = await discover(project, { env });
      equal(doubtful.python.source, 'PATH');
      ok(doubtful.findings.some(({ level, text }) => level === 'hint' && text.includes(`${tool} install`)));
    });
  }

  it('is shown with its version in full', async (t) => {
    const pretend = "import sys\nsys.version = '3.15.0rc1 free-threading build (main, Sep 1 2026) [GCC]'\n";
    const project = makeProject(t, { 'app.py': WSGI_APP, 'fake/sitecustomize.py': pretend });
    const { python } = await discover(project, { env: { PYTHONPATH: join(project, 'fake') } });
    equal(python.version, '3.15.0rc1 free-threading build');
  });

  it('is refused with a message when it is missing, dangling, too old or not Python', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP, 'old.sh': '', 'other.sh': '#!/bin/sh\necho hello\n' });
    await fails(project, /there is no such file/, { python: join(project, 'nothing') });
    writeFileSync(join(project, 'old.sh'), '#!/bin/sh\necho \'{"version": "3.8.10", "prefix": "/usr"}\'\n');
    for (const script of ['old.sh', 'other.sh']) chmodSync(join(project, script), 0o755);
    await fails(project, /3\.8\.10, and 3\.10 or later is needed/, { python: join(project, 'old.sh') });
    await fails(project, /not Python/, { python: join(project, 'other.sh') });
    makeVenv(join(project, '.venv'));
    rmSync(join(project, '.venv/bin/python'));
    symlinkSync('/nowhere/python3.9', join(project, '.venv/bin/python'));
    match((await fails(project, /its Python no longer exists/)).advice, /venv/);
    await fails(project, /Cannot find Python/, {
      env: { PATH: '/nowhere' },
      chdir: makeProject(t, { 'app.py': WSGI_APP }),
    });
  });
});
