import { equal, match } from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { discover, fails, name } from '../support/discover.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { makeVenv } from '../support/venv.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';

const PRODUCTION = `
[app:main]
use = call:board:make

[pipeline:admin]
pipeline = log main

[filter:log]
use = call:board:log

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:6543
threads = 8
`;

describe('a file of PasteDeploy', { skip: NO_PACKAGES }, () => {
  const make = (t: Parameters<typeof makeProject>[0], files: Record<string, string>) =>
    makeProject(t, files, { venv: '.venv' });

  it('is named with or without one of its applications', async (t) => {
    const directory = make(t, { 'conf/production.ini': PRODUCTION });
    equal(await name(directory, { target: 'conf/production.ini' }), 'production.ini');
    const {
      application,
      directory: of,
      findings,
    } = await discover('/', {
      target: join(directory, 'conf/production.ini#admin'),
      python: join(directory, '.venv'),
    });
    equal(application.name, 'production.ini#admin');
    equal(of, join(directory, 'conf'));
    match(findings[0]?.text ?? '', /^production\.ini#admin \(PasteDeploy, \[pipeline:admin\]\)$/);
    match(findings.at(-1)?.text ?? '', /^listen, threads in \[server:main\] .*: use --listen and --threads$/);
  });

  it('is found, after modules with usual names: the one of production, in development the other', async (t) => {
    const both = { 'production.ini': PRODUCTION, 'development.ini': PRODUCTION, 'alembic.ini': '[alembic]\n' };
    const directory = make(t, both);
    equal(await name(directory), 'production.ini');
    equal(await name(directory, { dev: true }), 'development.ini');
    equal(await name(make(t, { 'site.ini': PRODUCTION, 'tox.ini': '[tox]\n' })), 'site.ini');
    equal(await name(make(t, { ...both, 'wsgi.py': WSGI_APP })), 'wsgi:application');
    const two = make(t, { 'one.ini': PRODUCTION, 'two.ini': PRODUCTION });
    match((await fails(two, /several \.ini files: one\.ini, two\.ini/)).advice, /viaduct one\.ini/);
  });

  it('is refused with a sentence when it cannot be served', async (t) => {
    const directory = make(t, { 'production.ini': PRODUCTION, 'u.ini': '[uwsgi]\nmodule = x\n', 'tox.ini': '[tox]\n' });
    const other = await fails(directory, /no section \[app:shop\] and no \[pipeline:shop\]/, {
      target: 'production.ini#shop',
    });
    match(other.advice, /production\.ini#main, production\.ini#admin/);
    match((await fails(directory, /configuration of uWSGI/, { target: 'u.ini' })).advice, /viaduct import u\.ini/);
    await fails(directory, /no section \[app:main\]/, { target: 'tox.ini' });
    await fails(directory, /no such file/, { target: 'nothing.ini' });
  });

  it('needs PasteDeploy in the environment', async (t) => {
    const directory = makeProject(t, { 'production.ini': PRODUCTION });
    makeVenv(join(directory, 'venv'));
    match((await fails(directory, /PasteDeploy is not installed for ".*venv/)).advice, /pip install PasteDeploy/);
  });
});
