import { equal, match, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { djangoFiles, makeProject, WSGI_APP } from '../support/project.ts';
import { BIN, NO_PACKAGES, startViaduct, type ViaductOptions } from '../support/viaduct.ts';

interface Checked {
  readonly code: number | null;
  /** What it wrote to both outputs. */
  readonly output: string;
}

/** `viaduct check` with `args`. */
async function check(cwd: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Checked> {
  const { DJANGO_SETTINGS_MODULE, VIRTUAL_ENV, FLASK_APP, ...others } = process.env;
  const child = spawn(process.execPath, [BIN, 'check', ...args], {
    cwd,
    env: { ...others, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** Starts the program. Returns a function that sends it a GET. */
async function serve(t: TestContext, args: readonly string[], options?: ViaductOptions) {
  const { port } = await startViaduct(t, args, options);
  return (target: string) => ask(port, target);
}

describe('discovery of a Django project', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  const django = (t: TestContext, settings = '', more: Record<string, string> = {}, name = 'project') =>
    makeProject(t, { ...djangoFiles(settings), ...more }, { venv: '.venv', name });

  it('prints application, interpreter, static files and what is missing, in a few lines', async (t) => {
    const { code, output } = await check(django(t));
    equal(code, 0, output);
    match(output, /application +mysite\.wsgi:application \(Django 5\.\S+, settings mysite\.settings\)/);
    match(output, /python +3\.\d+\.\d+ \(\.venv: /);
    match(output, /static +STATIC_ROOT is not set: set it and run "python manage\.py collectstatic", or use --dev/);
    match(output, /The application can be served/);
    ok(output.trimEnd().split('\n').length < 10, output);
  });

  it('advises collectstatic only when STATIC_ROOT is missing or empty', async (t) => {
    const project = django(t, "STATIC_ROOT = BASE_DIR / 'collected'\n");
    match((await check(project)).output, /collected does not exist: run "python manage\.py collectstatic"/);
    mkdirSync(join(project, 'collected'));
    match((await check(project)).output, /collected is empty: run "python manage\.py collectstatic"/);
    writeFileSync(join(project, 'collected/a.css'), 'body {}');
    const { output } = await check(project);
    match(output, /static +\/static\/ from collected/);
    ok(!output.includes('collectstatic'), output);
  });

  it('serves STATIC_ROOT, and media only in development', async (t) => {
    const project = django(t, "STATIC_ROOT = 'collected'\nMEDIA_ROOT = BASE_DIR / 'media'\nMEDIA_URL = 'media/'\n", {
      'collected/a.css': 'collected',
      'media/a.txt': 'media',
    });
    const get = await serve(t, [project]);
    equal((await get('/')).body, 'hello');
    equal((await get('/static/a.css')).body, 'collected');
    equal((await get('/media/a.txt')).status, 404);
    match((await check(project)).output, /media +\/media\/ is served with --dev only/);
    const inDevelopment = await serve(t, [project, '--dev']);
    equal((await inDevelopment('/media/a.txt')).body, 'media');
  });

  it('serves the files of the staticfiles finders in development, in their order, and each change at once', async (t) => {
    const settings = `
INSTALLED_APPS += ['shop', 'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes']
STATICFILES_DIRS = [BASE_DIR / 'assets', ('vendor', BASE_DIR / 'bought')]
`;
    const project = django(t, settings, {
      'assets/a.css': 'assets',
      'bought/b.css': 'bought',
      'shop/__init__.py': '',
      'shop/static/a.css': 'shop',
      'shop/static/vendor/b.css': 'shop',
      'shop/static/vendor/c.css': 'shop',
      'shop/static/shop/d e.css': 'shop',
    });
    const get = await serve(t, ['--dev'], { cwd: project });
    equal((await get('/static/a.css')).body, 'assets');
    equal((await get('/static/vendor/b.css')).body, 'bought');
    equal((await get('/static/vendor/c.css')).body, 'shop');
    equal((await get('/static/shop/d%20e.css')).body, 'shop');
    equal((await get('/static/admin/css/base.css')).status, 200);
    equal((await get('/static/nothing.css')).status, 404);
    writeFileSync(join(project, 'assets/a.css'), 'changed');
    equal((await get('/static/a.css')).body, 'changed');
    rmSync(join(project, 'assets/a.css'));
    equal((await get('/static/a.css')).body, 'shop');
  });

  for (const [url, said] of [
    ['https://cdn.example/static/', /static +STATIC_URL is https:\/\/cdn\.example\/static\/: served from there/],
    ['//cdn.example/', /served from there/],
    ['assets/', /static +\/assets\/ from/],
    ['/gr%C3%B6%C3%9Fe/', /static +\/größe\/ from/],
    ['/deep/er/', /static +\/deep\/er\/ from/],
  ] as const) {
    it(`understands STATIC_URL ${url}`, async (t) => {
      const project = django(t, `STATIC_URL = '${url}'\nSTATIC_ROOT = BASE_DIR / 'collected'\n`, {
        'collected/a': 'a',
      });
      const { code, output } = await check(project);
      equal(code, 0, output);
      match(output, said);
    });
  }

  it('finds it in a subdirectory, in src, and at a path with spaces and letters of any language', async (t) => {
    const files = Object.entries(djangoFiles());
    for (const below of ['backend', 'src', 'a/b']) {
      const moved = Object.fromEntries(files.map(([path, text]) => [`${below}/${path}`, text]));
      const project = makeProject(t, { ...moved, 'package.json': '{}' }, { venv: '.venv', name: 'größe und 项目' });
      const { code, output } = await check(project);
      equal(code, 0, output);
      match(output, /mysite\.wsgi:application/);
    }
  });

  it('does not choose between several projects', async (t) => {
    const files = Object.entries(djangoFiles());
    const two = ['one', 'two'].flatMap((name) => files.map(([path, text]) => [`${name}/${path}`, text]));
    const project = makeProject(t, Object.fromEntries(two), { venv: '.venv' });
    const { code, output } = await check(project);
    equal(code, 1);
    match(output, /several Django projects: one, two\nName the directory of one/);
    equal((await check(project, ['two'])).code, 0);
  });

  it('recognizes it by its wsgi.py too', async (t) => {
    const project = django(t, "STATIC_ROOT = 'collected'\n", { 'collected/a.css': 'collected' });
    for (const target of ['mysite/wsgi.py', 'mysite.wsgi', 'mysite.wsgi:application']) {
      const { code, output } = await check(project, [target]);
      equal(code, 0, output);
      match(output, /mysite\.wsgi:application \(Django/);
      match(output, /\/static\/ from collected/);
    }
  });

  it('uses WSGI_APPLICATION, and needs neither that setting nor a wsgi.py', async (t) => {
    const other = django(t, "WSGI_APPLICATION = 'server.entry.app'\n", {
      'server/__init__.py': '',
      'server/entry.py': 'from mysite.wsgi import application as app\n',
    });
    match((await check(other)).output, /server\.entry:app/);
    const none = django(t, 'WSGI_APPLICATION = None\n');
    match((await check(none)).output, /mysite\.wsgi:application/);
    rmSync(join(none, 'mysite/wsgi.py'));
    const { code, output } = await check(none);
    equal(code, 0, output);
    match(output, /django\.core\.wsgi:get_wsgi_application\(\)/);
  });

  describe('with settings for each environment', () => {
    const environments = (t: TestContext) => {
      const {
        'mysite/settings.py': settings = '',
        'manage.py': manage = '',
        'mysite/wsgi.py': wsgi = '',
        ...rest
      } = djangoFiles();
      return makeProject(
        t,
        {
          ...rest,
          'mysite/settings/__init__.py': '',
          'mysite/settings/base.py': settings,
          'mysite/settings/local.py': 'from .base import *\n',
          'mysite/settings/production.py': 'from .base import *\n',
          'mysite/settings/staging.py': 'from .base import *\n',
          'manage.py': manage.replace('mysite.settings', 'mysite.settings.local'),
          'mysite/wsgi.py': wsgi.replace('mysite.settings', 'mysite.settings.production'),
        },
        { venv: '.venv' },
      );
    };

    it('uses those of wsgi.py, in development those of manage.py, and says so', async (t) => {
      const project = environments(t);
      const production = await check(project);
      match(production.output, /settings mysite\.settings\.production\)/);
      match(
        production.output,
        /settings +mysite\.settings\.production, as its WSGI module says; with --dev mysite\.settings\.local/,
      );
      match((await check(project, ['--dev'])).output, /settings mysite\.settings\.local\)/);
    });

    it('prefers those of DJANGO_SETTINGS_MODULE', async (t) => {
      const env = { DJANGO_SETTINGS_MODULE: 'mysite.settings.staging' };
      const { code, output } = await check(environments(t), [], env);
      equal(code, 0, output);
      match(output, /settings mysite\.settings\.staging\)/);
    });
  });

  it('shows the error of settings that raise, and exits with 1', async (t) => {
    const { code, output } = await check(django(t, "import os\nos.environ['NOT_THERE_AT_ALL']\n"));
    equal(code, 1);
    match(output, /settings +mysite\.settings cannot be imported: KeyError: 'NOT_THERE_AT_ALL'/);
    match(output, /File ".*mysite\/settings\.py", line \d+/);
  });

  it('shows why settings end the program, and exits with 1', async (t) => {
    const { code, output } = await check(django(t, "import sys\nsys.exit('the variable KEY is missing')\n"));
    equal(code, 1);
    match(output, /settings +mysite\.settings cannot be imported: SystemExit: the variable KEY is missing/);
  });

  it('works with settings that print, or read their standard input', async (t) => {
    const { code, output } = await check(
      django(t, 'import sys\nprint(\'{"version": 1}\', end="", flush=True)\nsys.stdin.read()\n'),
    );
    equal(code, 0, output);
    match(output, /settings mysite\.settings\)/);
  });

  it('does not show its own modules to the project', async (t) => {
    const settings = `
for name in ('channel', 'worker', 'lane', 'load', 'inspect_project'):
    try:
        __import__(name)
    except ImportError:
        continue
    raise RuntimeError(name + ' can be imported')
`;
    const { output } = await check(django(t, settings));
    ok(!output.includes('can be imported'), output);
  });

  it('finds everything else when an application cannot be set up for the finders', async (t) => {
    const project = django(t, "INSTALLED_APPS += ['nowhere']\n");
    match(
      (await check(project, ['--dev'])).output,
      /static +the static files cannot be found: ModuleNotFoundError.*nowhere/,
    );
  });
});

describe('discovery of a Django project without Django', () => {
  it('says that Django is not installed in the environment, and what to do', async (t) => {
    const project = makeProject(t, djangoFiles());
    writeFileSync(join(project, 'python'), '#!/bin/sh\nexec python3 -S "$@"\n', { mode: 0o755 });
    const { code, output } = await check(project, ['--python', join(project, 'python')]);
    equal(code, 1);
    match(output, /Cannot import Django with ".*": it is not installed there\n.*--python/);
    ok(!output.includes('Traceback'), output);
  });
});

describe('viaduct check', () => {
  it('finds what viaduct finds, and exits with 0 when it can be served', async (t) => {
    const project = makeProject(t, { 'app.py': WSGI_APP });
    equal((await check(project)).code, 0);
    equal((await check('/', [project])).code, 0);
    equal((await check('/', [join(project, 'app.py')])).code, 0);
    equal((await check('/', ['--chdir', project, 'app:application'])).code, 0);
  });

  it('exits with 1 when there is nothing to serve, or the application cannot be imported', async (t) => {
    const project = makeProject(t, { 'broken/app.py': 'import nowhere_at_all\napp = 1\n' });
    const nothing = await check(project);
    equal(nothing.code, 1);
    match(nothing.output, /^viaduct: Cannot find an application in ".*": .*\n.*MODULE:CALLABLE/m);
    const broken = await check(project, ['broken']);
    equal(broken.code, 1);
    match(broken.output, /ModuleNotFoundError: No module named 'nowhere_at_all'/);
  });
});
