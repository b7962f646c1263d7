import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask, Pipeline } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const DATABASE_URL = 'postgres://user:the-password@localhost/site';

/** A project of Django whose only view fails. */
const PROJECT = `import os
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

settings.configure(
    DEBUG=os.environ['REPORT'] == 'page',
    SECRET_KEY='test',
    ALLOWED_HOSTS=['*'],
    ROOT_URLCONF=__name__,
    ADMINS=[('Jane', 'jane@example.org')],
    EMAIL_BACKEND='django.core.mail.backends.filebased.EmailBackend',
    EMAIL_FILE_PATH='mails',
    LOGGING={
        'version': 1,
        'handlers': {'mail': {'class': 'django.utils.log.AdminEmailHandler', 'include_html': True}},
        'loggers': {'django.request': {'handlers': ['mail'], 'propagate': False}},
    },
)
django.setup()

def fail(request):
    raise ValueError('on purpose')

urlpatterns = [path('', fail)]
application = get_wsgi_application()
`;

/** What Django reports about the failed request: as the page of DEBUG, or as the mail to the administrators. */
async function reportOf(t: TestContext, kind: 'page' | 'mail', variables: string): Promise<string> {
  const project = makeProject(t, { 'app.py': PROJECT, 'mails/.keep': '' });
  const env = { DATABASE_URL, REPORT: kind, VIADUCT_ENVIRON_VARIABLES: variables };
  const args = ['app.py', '--chdir', project, '--python', PYTHON_WITH_PACKAGES ?? '', '--workers', '1'];
  const { port } = await startViaduct(t, ['serve', ...args], { env });
  const { status, body } = await ask(port, '/');
  assert.equal(status, 500);
  if (kind === 'page') return body;
  const mails = readdirSync(join(project, 'mails')).filter((name) => name.endsWith('.log'));
  assert.equal(mails.length, 1);
  return readFileSync(join(project, 'mails', mails[0] as string), 'utf8');
}

describe('a line of wsgi.errors', () => {
  it('has its request, also when the response overtakes it', async (t) => {
    const app = `
def application(environ, start_response):
    environ['wsgi.errors'].write('a line of ' + environ['PATH_INFO'] + '\\n')
    start_response('200 OK', [('Content-Length', '2')])
    return [b'ok']
`;
    const project = makeProject(t, { 'app.py': app });
    const args = ['serve', project, '--workers', '1', '--threads', '2', '--access-log', 'off'];
    const server = await startViaduct(t, args);
    const lines = (): string[] => server.output().match(/^.*a line of .*$/gm) ?? [];
    const clients = await Promise.all(Array.from({ length: 8 }, () => Pipeline.open(server.port)));
    await clients[0]?.get('/first');
    await eventually('the first line is there', () => lines().length === 1);
    for (let round = 0; round < 60; round += 1)
      await Promise.all(clients.map((client, index) => client.get(`/${round}-${index}`)));
    await eventually('all lines are there', () => lines().length === 481);
    for (const line of lines().slice(1)) {
      const [, path = ''] = /a line of ([^"]+)"/.exec(line) ?? [];
      assert.ok(line.includes(`"request":"GET ${path}"`), line);
    }
    for (const client of clients) client.close();
  });
});

describe("Django's own report of an error", { skip: NO_PACKAGES, concurrency: 2 }, () => {
  for (const kind of ['page', 'mail'] as const) {
    it(`has the request, and no variable of the process: the ${kind}`, async (t) => {
      const report = await reportOf(t, kind, '');
      assert.match(report, /on purpose/);
      assert.match(report, /REQUEST_METHOD/);
      assert.doesNotMatch(report, /DATABASE_URL|the-password/);
    });

    it(`has a variable that the setting names: the ${kind}`, async (t) => {
      assert.match(await reportOf(t, kind, 'DATABASE_URL'), /DATABASE_URL[\s\S]{0,200}the-password/);
    });
  }
});
