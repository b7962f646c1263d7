import { equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { install, makeVenv } from '../support/venv.ts';
import { BIN, NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct } from '../support/viaduct.ts';

const ADMIN =
  "INSTALLED_APPS += ['shop', 'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes']\n";

/** A directory beside an environment with Django and the project `shop`, which is installed. */
function withInstalledShop(t: TestContext, settings = '', files: Record<string, string> = {}): string {
  const directory = makeProject(t, files);
  const packages = makeVenv(join(directory, 'venv'));
  writeFileSync(join(packages, 'tests.pth'), `${packagesOfTests()}\n`);
  const { 'manage.py': _, ...shop } = djangoFiles(ADMIN + settings, 'shop');
  install(packages, 'shop', { ...shop, 'shop/static/shop/a.css': 'of the package' });
  return directory;
}

function packagesOfTests(): string {
  const show = 'import django, os; print(os.path.dirname(os.path.dirname(django.__file__)))';
  return spawnSync(PYTHON_WITH_PACKAGES ?? '', ['-c', show], { encoding: 'utf8' }).stdout.trim();
}

function run(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  const { DJANGO_SETTINGS_MODULE, VIRTUAL_ENV, FLASK_APP, ...others } = process.env;
  const options = { cwd, env: { ...others, ...env }, encoding: 'utf8', timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], options);
  return { status, output: stdout + stderr };
}

describe('a Django project that is installed', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  it('is listed, and check, serve and exec find it with its static files', async (t) => {
    const directory = withInstalledShop(t, "STATIC_ROOT = 'collected'\n", { 'collected/a.css': 'collected' });
    const listed = run(directory, ['check']);
    equal(listed.status, 1);
    match(
      listed.output,
      /Cannot find an application.*\n.*Its environment has:\n {2}viaduct shop\.wsgi {2}\(shop 2\.1\)\n/,
    );
    const checked = run(directory, ['check', 'shop.wsgi']);
    equal(checked.status, 0, checked.output);
    match(checked.output, /application +shop\.wsgi:application \(Django 5\.\S+, settings shop\.settings\)/);
    match(checked.output, /static +\/static\/ from collected/);
    const { port } = await startViaduct(t, ['shop.wsgi'], { cwd: directory });
    equal((await ask(port, '/')).body, 'hello');
    equal((await ask(port, '/static/a.css')).body, 'collected');
    const show = "import os; print(os.environ['DJANGO_SETTINGS_MODULE'])";
    const env = { DJANGO_SETTINGS_MODULE: 'shop.settings' };
    match(run(directory, ['exec', 'python', '-c', show], env).output, /^shop\.settings$/m);
  });

  it('is served for DJANGO_SETTINGS_MODULE alone, in development with the files of its packages', async (t) => {
    const directory = withInstalledShop(t);
    const env = { DJANGO_SETTINGS_MODULE: 'shop.settings' };
    const { port } = await startViaduct(t, ['--dev'], { cwd: directory, env });
    equal((await ask(port, '/')).body, 'hello');
    equal((await ask(port, '/static/shop/a.css')).body, 'of the package');
    equal((await ask(port, '/static/admin/css/base.css')).status, 200);
  });
});

describe('a Django project in [apps]', { skip: NO_PACKAGES, concurrency: 2 }, () => {
  const configuration = (route: string) =>
    `[apps.shop]\ntarget = "shop.wsgi"\n\n[[route]]\npath = "/*"\nhost = "none.example"\nrespond = { status = 204 }\n\n[[route]]\n${route}\napp = "shop"\n`;

  it('has its static files below its mount', async (t) => {
    const config = configuration('path = ["/shop", "/shop/*"]\nmount = "/shop"');
    const directory = withInstalledShop(t, '', { 'viaduct.toml': config });
    const { port } = await startViaduct(t, ['--dev'], { cwd: directory });
    equal((await ask(port, '/shop/')).body, 'hello');
    equal((await ask(port, '/shop/static/shop/a.css')).body, 'of the package');
    equal((await ask(port, '/shop/static/admin/css/base.css')).status, 200);
    equal((await ask(port, '/shop/static/nothing.css')).status, 404);
    equal((await ask(port, '/static/shop/a.css')).status, 404);
  });

  it('has collected static files on a host of its own', async (t) => {
    const settings = "STATIC_ROOT = BASE_DIR / 'collected'\nSTATIC_URL = '/static/'\n";
    const directory = makeProject(
      t,
      {
        ...djangoFiles(settings, 'shop'),
        'collected/a.css': 'collected',
        'viaduct.toml': configuration('host = "shop.example"'),
      },
      { venv: '.venv' },
    );
    const { port } = await startViaduct(t, [], { cwd: directory });
    const host = 'shop.example';
    equal((await ask(port, '/static/a.css', { host })).body, 'collected');
    equal((await ask(port, '/', { host })).body, 'hello');
  });

  it('gets a warning when its STATIC_URL is outside of its routes', (t) => {
    const settings = "STATIC_URL = '/static/'\nSTATIC_ROOT = 'collected'\n";
    const mounted = configuration('path = "/shop/*"\nmount = "/shop"');
    const { status, output } = run(withInstalledShop(t, settings, { 'viaduct.toml': mounted, 'collected/a.css': '' }), [
      'check',
    ]);
    equal(status, 0, output);
    match(
      output,
      /no route leads to the static files of application shop, at \/static\/: write its STATIC_URL without a slash/,
    );
    const narrow = configuration('path = "/shop/*"');
    const other = run(withInstalledShop(t, settings, { 'viaduct.toml': narrow, 'collected/a.css': '' }), ['check']);
    match(other.output, /at \/static\/: add "\/static\/\*" to the path of its route/);
  });
});
