import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';

const FLASK = `from flask import Flask, request, url_for

app = Flask(__name__)

@app.get('/seen/<path:rest>')
def seen(rest):
    return {'rest': rest, 'path': request.path, 'root': request.script_root, 'url': url_for('seen', rest='é')}
`;
const DJANGO_URLS = `from django.http import JsonResponse
from django.urls import path, reverse

def seen(request, rest):
    url = reverse('seen', args=['é'])
    return JsonResponse({'rest': rest, 'path': request.path, 'root': request.META['SCRIPT_NAME'], 'url': url})

urlpatterns = [path('seen/<path:rest>', seen, name='seen')]
`;
const TOML = `target = "flaskapp:app"
workers = 1
access_log = "off"

[apps.django]
target = "mysite.wsgi:application"

[apps.flask]
target = "flaskapp:app"

[[route]]
mount = "/of-django"
app = "django"

[[route]]
mount = "/caf\u00e9"
app = "flask"
`;

interface Seen {
  readonly rest: string;
  readonly path: string;
  readonly root: string;
  readonly url: string;
}

describe('the path in real views', { skip: NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let viaduct: Viaduct;

  before(async () => {
    const files = { ...djangoFiles(), 'mysite/urls.py': DJANGO_URLS, 'flaskapp.py': FLASK, 'viaduct.toml': TOML };
    const cwd = makeProject(suite, files);
    viaduct = await startViaduct(suite, ['serve', '--python', PYTHON_WITH_PACKAGES ?? 'python3'], { cwd });
  });

  const seen = async (target: string): Promise<Seen> => {
    const answer = await ask(viaduct.port, target);
    assert.equal(answer.status, 200, answer.body);
    return JSON.parse(Buffer.from(answer.body, 'latin1').toString()) as Seen;
  };

  // The description, the path that the client sends, the path in a Flask view, and in a Django view if it differs.
  for (const [description, sent, flask, django = flask] of [
    ['%2F is a slash', 'a%2Fb', 'a/b'],
    ['%2f in lower case is a slash too', 'a%2fb', 'a/b'],
    ['UTF-8 is text', 'caf%C3%A9/%E2%9C%93', 'caf\u00e9/\u2713'],
    ['a character past the first plane is text', '%F0%9F%9A%82', '\u{1f682}'],
    ['%25 is decoded once', '100%2525', '100%25'],
    ['a plus is a plus and %20 a space', 'a+b%20c', 'a+b c'],
    ['%3F and %23 do not end it', 'a%3Fb%23c', 'a?b#c'],
    ['bytes that are not UTF-8 are replaced by Flask and kept by Django', 'x%FFy', 'x\ufffdy', 'x%FFy'],
    ['half a character is replaced by Flask and kept by Django', 'caf%C3', 'caf\ufffd', 'caf%C3'],
    ['a semicolon belongs to it', 'a;b=c', 'a;b=c'],
  ] as [string, string, string, string?][]) {
    it(`arrives in Flask: ${description}`, async () => {
      const { rest, path } = await seen(`/seen/${sent}`);
      assert.deepEqual([rest, path], [flask, `/seen/${flask}`]);
    });

    it(`arrives in Django: ${description}`, async () => {
      const { rest, path, root } = await seen(`/of-django/seen/${sent}`);
      assert.deepEqual([rest, path, root], [django, `/of-django/seen/${django}`, '/of-django']);
    });
  }

  it('does not reach the view when a percent sign does not start an octet', async () => {
    assert.equal((await ask(viaduct.port, '/seen/50%/x')).status, 400);
    assert.equal((await ask(viaduct.port, '/of-django/seen/%zz')).status, 400);
  });

  it('leads back to the mount when Flask and Django build URLs', async () => {
    assert.equal((await seen('/seen/x')).url, '/seen/%C3%A9');
    assert.equal((await seen('/of-django/seen/x')).url, '/of-django/seen/%C3%A9');
  });

  it('is split into mount and path when the mount has letters outside ASCII', async () => {
    const { rest, path, root, url } = await seen('/caf%C3%A9/seen/x%2Fy');
    assert.deepEqual([rest, path, root], ['x/y', '/seen/x/y', '/caf\u00e9']);
    assert.equal(decodeURIComponent(url), '/caf\u00e9/seen/\u00e9');
  });
});
