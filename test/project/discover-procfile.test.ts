import { equal, match } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { applicationName } from '../../src/project/project.ts';
import { discover, name } from '../support/discover.ts';
import { djangoFiles, FLASK_FACTORY, makeProject, WSGI_APP } from '../support/project.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';

const files = {
  'app.py': WSGI_APP,
  'shop/__init__.py': '',
  'shop/web.py': FLASK_FACTORY,
  'shop/wsgi.py': WSGI_APP,
  'back/end.py': WSGI_APP,
};

describe('the line web: of a Procfile', () => {
  for (const [command, expected, settings] of [
    ['gunicorn shop.wsgi', 'shop.wsgi:application', ''],
    [
      'gunicorn -w 3 --threads=4 --bind 127.0.0.1:9000 shop.wsgi:application',
      'shop.wsgi:application',
      '--workers 3 --threads 4 --listen 127.0.0.1:9000',
    ],
    ['gunicorn --reload -w3 --bind :$PORT shop.wsgi:application --log-file -', 'shop.wsgi:application', '--workers 3'],
    [
      'exec gunicorn "shop.web:create_app(config=\'prod\')" -b 0.0.0.0:$PORT -w $WEB_CONCURRENCY',
      "shop.web:create_app(config='prod')",
      '',
    ],
    [
      'python manage.py migrate && newrelic-admin run-program gunicorn --chdir back end:application; true',
      'end:application',
      '',
    ],
    [
      'uwsgi --http-socket :9090 --master -w shop.web --callable "create_app()" -p 4 --threads 2',
      'shop.web:create_app()',
      '--workers 4 --threads 2 --listen 0.0.0.0:9090',
    ],
    ['uwsgi --http=:$PORT --wsgi-file=shop/wsgi.py --callable=application', 'shop.wsgi:application', ''],
    [
      '.venv/bin/waitress-serve --port=$PORT --threads=8 --call shop.web:create_app',
      'shop.web:create_app()',
      '--threads 8',
    ],
    ['waitress-serve --listen=*:8080 shop.wsgi:application', 'shop.wsgi:application', '--listen 0.0.0.0:8080'],
    ['gunicorn elsewhere.wsgi', 'app:application', ''],
    ['uwsgi uwsgi.ini', 'app:application', ''],
    ['gunicorn "unclosed', 'app:application', ''],
    ['node server.js', 'app:application', ''],
  ] as const) {
    it(`leads to ${expected} when it is ${command}`, async (t) => {
      const project = makeProject(t, { ...files, Procfile: `worker: celery -A shop\nweb: ${command}\n` });
      const { application, findings } = await discover(project);
      equal(applicationName(application), expected);
      const said = findings.filter(({ subject, level }) => subject === 'Procfile' && level === 'found');
      equal(said.map(({ text }) => text.replace(/^.*here they are /, '')).join(), settings);
    });
  }

  it('starts in the directory of --chdir', async (t) => {
    const project = makeProject(t, { ...files, Procfile: 'web: gunicorn --chdir back end\n' });
    equal((await discover(project)).directory, join(project, 'back'));
  });

  it('comes after FLASK_APP and a name, and a missing module is reported', async (t) => {
    const project = makeProject(t, { ...files, Procfile: 'web: gunicorn shop.wsgi\n' });
    equal(await name(project, { env: { FLASK_APP: 'app' } }), 'app:application');
    equal(await name(project, { target: 'app' }), 'app:application');
    const wrong = makeProject(t, { ...files, Procfile: 'web: gunicorn elsewhere.wsgi\n' });
    match((await discover(wrong)).findings.at(-1)?.text ?? '', /its gunicorn serves another module: elsewhere\.wsgi/);
  });

  it('is silent about a Django project that it serves, and about its settings in development', {
    skip: NO_PACKAGES,
  }, async (t) => {
    const Procfile = 'web: gunicorn mysite.wsgi -w 3\n';
    const project = makeProject(t, { ...djangoFiles(), Procfile }, { venv: '.venv' });
    const { findings, kind } = await discover(project);
    equal(kind, 'django');
    equal(findings.filter(({ subject }) => subject === 'Procfile').length, 1);
    const inDevelopment = await discover(project, { dev: true });
    equal(inDevelopment.findings.filter(({ subject }) => subject === 'Procfile').length, 0);
  });
});
