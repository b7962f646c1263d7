import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import type { Request } from '../../src/http/message.ts';
import { NO_RESPONSE } from '../../src/http/no-response.ts';
import { PreparedResponse } from '../../src/http/prepared-response.ts';
import type { Response } from '../../src/http/response.ts';
import { responseField } from '../../src/http/response-fields.ts';
import { STANDARD_PLACEHOLDERS } from '../../src/placeholders/placeholders.ts';
import { ConfigErrors } from '../../src/site/config-errors.ts';
import { NOWHERE } from '../../src/site/configuration.ts';
import { responding } from '../../src/site/respond.ts';
import { requestOf } from '../support/handler.ts';

const HOSTILE = requestOf({
  query: `q=${encodeURIComponent('<script>&"\'\r\n\\')}&u=%C3%BC`,
  headers: ['X', '"><img \xff'],
});

function answer(body: string, type: string, request: Request = HOSTILE): Response {
  const errors = new ConfigErrors(NOWHERE);
  const { next } = responding(
    { status: 200, body, content_type: type },
    { errors, keys: [], placeholders: STANDARD_PLACEHOLDERS },
  );
  errors.throwIfAny();
  return next(request) as Response;
}

const text = ({ body }: Response): string => Buffer.from(body as Uint8Array).toString('utf8');

describe('a fixed answer', () => {
  it('does not exist with the status 444 and no text', () => {
    const errors = new ConfigErrors(NOWHERE);
    const context = { errors, keys: [], placeholders: STANDARD_PLACEHOLDERS };
    const { name, next } = responding({ status: 444, body: '', content_type: 'text/plain' }, context);
    assert.deepEqual([name, next(HOSTILE)], ['respond 444', NO_RESPONSE]);
  });

  it('is prepared once if it has no placeholders', () => {
    const response = answer('ü {{path} {}', 'text/plain; charset=utf-8');
    assert.ok(response instanceof PreparedResponse);
    assert.equal(text(response), 'ü {path} {}');
  });

  it('has the values of the request, and their length', () => {
    const response = answer('ü {query.u} {method} {header.Absent}.', 'text/plain; charset=utf-8');
    assert.equal(text(response), 'ü ü GET .');
    assert.equal(responseField(response, 'content-length'), '11');
  });

  it('escapes values in markup', () => {
    for (const type of ['text/html; charset=utf-8', 'application/xml', 'image/svg+xml', 'Application/XHTML+xml']) {
      const html = text(answer('<p title="{query.q}">{header.X}</p>', type));
      assert.match(html, /^<p title="&lt;script&gt;&amp;&quot;&#39;\r\n\\">&quot;&gt;&lt;img .<\/p>$/);
    }
  });

  it('escapes values in JSON', () => {
    for (const type of ['application/json', 'application/problem+json; charset=utf-8']) {
      const parsed = JSON.parse(text(answer('{"q":"{query.q}","x":"{header.X}","u":"{query.u}"}', type)));
      assert.deepEqual(parsed, { q: '<script>&"\'\r\n\\', x: '"><img \ufffd', u: 'ü' });
    }
  });

  it('takes no placeholders in other types', () => {
    for (const type of ['text/javascript', 'text/css', 'application/octet-stream', 'text/plainer']) {
      assert.throws(() => answer('{path}', type), ViaductError);
      assert.equal(text(answer('a {b: c}', type)), 'a {b: c}');
    }
  });

  it('is refused with a placeholder that is not known', () => {
    assert.throws(() => answer('{pth}', 'text/plain'), /did you mean \{path\}/);
    assert.throws(() => answer('{status}', 'text/plain'), /no response yet/);
  });
});
