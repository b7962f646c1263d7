import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { devFailures, failureInstead } from '../../../src/handlers/pages/dev-failure.ts';
import { failurePage, headlineOf } from '../../../src/handlers/pages/failure-page.ts';
import { hiddenFailure } from '../../../src/handlers/pages/hidden-failure.ts';
import type { HeaderList, Request } from '../../../src/http/message.ts';
import { RequestBodyError } from '../../../src/http/refusal.ts';
import { Response } from '../../../src/http/response.ts';
import { Trace, USUAL_DETAILS } from '../../../src/trace/trace.ts';
import { requestOf } from '../../support/handler.ts';

const BROWSER: HeaderList = ['Accept', 'text/html,application/xhtml+xml'];
const FLASK =
  '<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n';

const html = (status: number, text: string): Response =>
  Response.fromHeaders(status, ['Content-Type', 'text/html; charset=utf-8'], Buffer.from(text));

/** A request that this server answers itself for `reason`. */
function requestFor(reason: string, headers = BROWSER): Request {
  const request = requestOf({ headers });
  request.record.reason = reason;
  return request;
}

/** The headline of the page that a browser gets instead; '' for the response itself. */
function headline(page: Response | null): string {
  return page === null ? '' : (/<h1>(.*)<\/h1>/.exec(String(page.body))?.[1] ?? '');
}

describe('hiddenFailure', () => {
  const hidden = (response: Response, headers = BROWSER): string =>
    headline(hiddenFailure(requestFor('', headers), response, '/__viaduct'));

  it('makes a page of that by which a framework hides an exception, and of no other', () => {
    assert.equal(hidden(html(500, FLASK)), 'The application answered with an error');
    assert.equal(
      hidden(html(500, '<body><h1>Server Error (500)</h1></body>')),
      'The application answered with an error',
    );
    assert.equal(hidden(html(500, '<h1>We are sorry</h1>')), '');
    assert.equal(hidden(html(500, FLASK + ' '.repeat(1024))), '');
    assert.equal(hidden(html(200, FLASK)), '');
    assert.equal(hidden(html(500, FLASK), []), '');
  });
});

describe('failureInstead', () => {
  const instead = (response: Response, reason = 'worker died', headers = BROWSER): string => {
    const page = failureInstead(requestFor(reason, headers), response, '/__viaduct');
    assert.equal(page?.status ?? response.status, response.status);
    return headline(page);
  };

  it('makes a page of a line of this server', () => {
    assert.equal(instead(Response.text(502, 'Bad Gateway: the worker died\n')), 'The worker died');
    assert.equal(instead(Response.text(500, 'Internal Server Error\n')), 'Internal Server Error');
    assert.equal(instead(Response.text(502, 'Bad Gateway\n'), 'backend failed'), 'No backend answered');
  });

  it('leaves all other responses', () => {
    assert.equal(instead(Response.text(404, 'Not Found\n')), '');
    assert.equal(instead(Response.text(500, 'We are sorry\n')), '');
    assert.equal(instead(html(502, 'Bad Gateway\n')), '');
    assert.equal(instead(Response.text(502, 'Bad Gateway\n'), ''), '', 'that of a backend');
  });

  it('is for browsers that go to a page', () => {
    const line = Response.text(502, 'Bad Gateway: x\n');
    assert.equal(instead(line, 'worker died', []), '');
    assert.equal(instead(line, 'worker died', ['Accept', '*/*']), '');
    assert.equal(instead(line, 'worker died', [...BROWSER, 'HX-Request', 'true']), '');
  });

  it('says in the text what went wrong in each hop', () => {
    const request = requestFor('backend failed');
    const sent = { method: 'GET', path: '/', query: '', protocol: 'HTTP/1.1', secure: false, host: '', client: '' };
    const traced = { ...sent, listener: '', headers: [], bodyBytes: 0 };
    const trace = new Trace('a', 'development', 'full', USUAL_DETAILS, traced, performance.now(), null);
    trace.set(trace.begin('backend', 'http://<a>'), 'error', 'connect: refused');
    trace.begin('backend', 'http://b');
    request.record.trace = trace;
    const page = failureInstead(request, Response.text(502, 'Bad Gateway\n'), '/__viaduct');
    assert.match(String(page?.body), /<pre>http:\/\/&#60;a&#62;: connect: refused<\/pre>/);
  });
});

describe('devFailures', () => {
  const handler = devFailures({
    prefix: '/__viaduct',
    allow: (address) => address === '192.0.2.1',
    onThrown: (error) => Response.text(500, String(error)),
  });
  const failing = () => Response.text(502, 'Bad Gateway: x\n');

  it('changes responses that come at once and later, for clients that can open the pages', async () => {
    const later = () => Promise.resolve(failing());
    for (const next of [failing, later]) assert.equal(headline(await handler(requestFor('worker died'), next)), 'X');
    const foreign = requestOf({ headers: BROWSER, peer: { remoteAddress: '203.0.113.1' } });
    foreign.record.reason = 'worker died';
    assert.equal(headline(await handler(foreign, failing)), '');
  });

  it('answers for what throws at once and later, but not for broken content of the request', async () => {
    const error = new RangeError('no');
    const thrower = (thrown: Error) => () => {
      throw thrown;
    };
    for (const next of [thrower(error), () => Promise.reject(error)])
      assert.equal(String((await handler(requestFor(''), next)).body), 'RangeError: no');
    const broken = new RequestBodyError(400, 'cut short');
    assert.throws(() => handler(requestFor(''), thrower(broken)), broken);
    await assert.rejects(async () => handler(requestFor(''), () => Promise.reject(broken)), broken);
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
