import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureInstead } from '../../../src/handlers/pages/dev-failure.ts';
import { failurePage, headlineOf } from '../../../src/handlers/pages/failure-page.ts';
import type { HeaderList } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { requestOf } from '../../support/handler.ts';

const BROWSER: HeaderList = ['Accept', 'text/html,application/xhtml+xml'];
const FLASK =
  '<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n';

const html = (status: number, text: string): Response =>
  Response.fromHeaders(status, ['Content-Type', 'text/html; charset=utf-8'], Buffer.from(text));

/** The headline of the page that a browser gets instead; '' for the response itself. */
function headline(response: Response, headers = BROWSER): string {
  const page = failureInstead(requestOf({ headers }), response, '/__viaduct');
  if (page === null) return '';
  assert.equal(page.status, response.status);
  return /<h1>(.*)<\/h1>/.exec(String(page.body))?.[1] ?? '';
}

describe('failureInstead', () => {
  it('makes a page of a line of this server, and of the page of a framework that hides an exception', () => {
    assert.equal(headline(Response.text(502, 'Bad Gateway: the worker died\n')), 'The worker died');
    assert.equal(headline(Response.text(500, 'Internal Server Error\n')), 'Internal Server Error');
    assert.equal(headline(html(500, FLASK)), 'The application answered with an error');
    assert.equal(
      headline(html(500, '<body><h1>Server Error (500)</h1></body>')),
      'The application answered with an error',
    );
  });

  it('leaves all other responses', () => {
    assert.equal(headline(Response.text(404, 'Not Found\n')), '');
    assert.equal(headline(Response.text(500, 'We are sorry\n')), '');
    assert.equal(headline(html(500, '<h1>We are sorry</h1>')), '');
    assert.equal(headline(html(500, FLASK + ' '.repeat(1024))), '');
    assert.equal(headline(html(200, FLASK)), '');
  });

  it('is for browsers only', () => {
    assert.equal(headline(Response.text(502, 'Bad Gateway: x\n'), []), '');
    assert.equal(headline(Response.text(502, 'Bad Gateway: x\n'), ['Accept', '*/*']), '');
  });
});

describe('headlineOf', () => {
  const FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    raise error\n';

  it('is the first line of what Python says of an error that has several', () => {
    assert.equal(headlineOf(`${FRAMES}ValueError: one\n  two\nthree\n`), 'ValueError: one');
    assert.equal(headlineOf(`${FRAMES}  File "b.py", line 1\n    f(:\n      ^\nSyntaxError: no\n`), 'SyntaxError: no');
    assert.equal(headlineOf(`${FRAMES}KeyError\n\nDuring …:\n\n${FRAMES}OSError: last\n`), 'OSError: last');
    assert.equal(headlineOf('ValueError: without frames\n'), 'ValueError: without frames');
  });

  it('is that of a group of exceptions', () => {
    const group = [
      '  + Exception Group Traceback (most recent call last):',
      '  |   File "a.py", line 1, in <module>',
      '  |     raise group',
      '  | ExceptionGroup: several (1 sub-exception)',
      '  +-+---------------- 1 ----------------',
      '    | Traceback (most recent call last):',
      '    |   File "b.py", line 1, in f',
      '    | ValueError: one',
      '    +------------------------------------',
    ];
    assert.equal(headlineOf(group.join('\n')), 'ExceptionGroup: several (1 sub-exception)');
  });
});

describe('failurePage', () => {
  it('is text without markup of the error, under a policy that lets only its own scripts run', () => {
    const page = failurePage({
      status: 500,
      title: 'It failed',
      headline: '<b>',
      text: '</pre><script>',
      prefix: '/p',
      id: 'a"b',
    });
    const text = String(page.body);
    assert.match(text, /<h1>&#60;b&#62;<\/h1>\n<pre>&#60;\/pre&#62;&#60;script&#62;<\/pre>/);
    assert.match(text, /content="a&#34;b"/);
    assert.match(text, /href="\/p\/requests\/a%22b"/);
    assert.match(page.lines, /Content-Security-Policy: default-src 'none'; script-src 'self'/);
    assert.doesNotMatch(text, /<\/body>/, 'the development bar stays out');
  });
});

describe('headlineOf', () => {
  it('is the last line in Python and the first one in JavaScript', () => {
    assert.equal(headlineOf('Traceback …\n  File\nKeyError: 1\n'), 'KeyError: 1');
    assert.equal(headlineOf('TypeError: no\n    at view (site.ts:1:2)\n'), 'TypeError: no');
  });
});
