import { equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { discover, fails, name } from '../support/discover.ts';
import { djangoFiles, FLASK_APP, makeProject, WSGI_APP } from '../support/project.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';

const env = { DJANGO_SETTINGS_MODULE: 'mysite.settings' };

/** A project of Django without its manage.py. */
function withoutManage(settings = ''): Record<string, string> {
  const { 'manage.py': _, ...files } = djangoFiles(settings);
  return files;
}

describe('DJANGO_SETTINGS_MODULE', { skip: NO_PACKAGES }, () => {
  it('is enough without a manage.py', async (t) => {
    const project = makeProject(t, withoutManage("STATIC_ROOT = 'collected'\n"), { venv: '.venv' });
    const { application, kind, staticMounts, environment } = await discover(project, { env });
    equal(application.module, 'mysite.wsgi');
    equal(kind, 'django');
    equal(environment.DJANGO_SETTINGS_MODULE, 'mysite.settings');
    equal(staticMounts[0]?.directories[0], join(project, 'collected'));
  });

  it('chooses the project in src, or the one with a manage.py further down', async (t) => {
    const moved = (below: string, files: Record<string, string>) =>
      Object.fromEntries(Object.entries(files).map(([path, text]) => [`${below}/${path}`, text]));
    const inSrc = makeProject(t, { ...moved('src', withoutManage()), 'app.py': WSGI_APP }, { venv: '.venv' });
    equal((await discover(inSrc, { env })).directory, join(inSrc, 'src'));
    const below = makeProject(t, { ...moved('backend', djangoFiles()), 'app.py': WSGI_APP }, { venv: '.venv' });
    equal((await discover(below, { env })).directory, join(below, 'backend'));
    equal(await name(below), 'app:application');
  });

  it('is refused together with FLASK_APP', async (t) => {
    const project = makeProject(t, { ...withoutManage(), 'app.py': FLASK_APP }, { venv: '.venv' });
    const both = { env: { ...env, FLASK_APP: 'app' } };
    match((await fails(project, /FLASK_APP and DJANGO_SETTINGS_MODULE are both set/, both)).advice, /Unset one/);
    equal(await name(project, { ...both, target: 'app' }), 'app:app');
  });

  it('chooses nothing when its module is not there, and is named when nothing else is found', async (t) => {
    const elsewhere = { env: { DJANGO_SETTINGS_MODULE: 'shop.settings' } };
    equal(await name(makeProject(t, { 'app.py': WSGI_APP }), elsewhere), 'app:application');
    await fails(makeProject(t, {}), /no module shop\.settings, which DJANGO_SETTINGS_MODULE names/, elsewhere);
  });
});

describe('a wsgi.py of Django without a manage.py', { skip: NO_PACKAGES }, () => {
  for (const target of [null, 'wsgi.py', 'wsgi:application']) {
    it(`has the static files of its settings when the target is ${target}`, async (t) => {
      const { 'mysite/wsgi.py': wsgi = '', ...files } = withoutManage("STATIC_ROOT = 'collected'\n");
      const project = makeProject(t, { ...files, 'wsgi.py': wsgi }, { venv: '.venv' });
      const { application, kind, staticMounts } = await discover(project, { target });
      equal(`${kind} ${application.module}`, 'django wsgi');
      equal(staticMounts[0]?.urlPrefix, '/static/');
      ok(staticMounts[0]?.isRelative);
    });
  }
});

describe('FLASK_DEBUG', () => {
  it('is on in development, unless it is set', async (t) => {
    const project = makeProject(t, { 'app.py': FLASK_APP });
    equal((await discover(project, { dev: true })).environment.FLASK_DEBUG, '1');
    equal((await discover(project, { dev: true, env: { FLASK_DEBUG: '0' } })).environment.FLASK_DEBUG, '0');
    equal((await discover(project)).environment.FLASK_DEBUG, undefined);
  });
});
