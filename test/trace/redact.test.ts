import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redactField, redactNamed, redactTarget, redactText } from '../../src/trace/redact.ts';

describe('redactText', () => {
  const hidden: readonly (readonly [title: string, text: string, secret: string])[] = [
    ['a JSON Web Token', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlcw end', 'eyJ'],
    ['a bearer token', 'Authorization: Bearer abcdef0123456', 'abcdef'],
    ['basic credentials', 'Basic dXNlcjpwYXNz', 'dXNl'],
    ['a key of AWS', 'id AKIAIOSFODNN7EXAMPLE.', 'AKIA'],
    ['a token of GitHub', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'ghp_'],
    ['the password of a database', 'postgres://app:pa55word@db:5432/shop', 'pa55word'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----', 'MIIE'],
    ['a private key that is cut', '-----BEGIN PRIVATE KEY-----\nMIIEow', 'MIIE'],
    ['a number of a credit card', 'card 4111 1111 1111 1111.', '4111 1111 1111 1111'],
    ['a number of a credit card without spaces', '5500005555555559', '5500005555555559'],
    ['a password within a dict', "{'user': 'a', 'password': 'hunter2'}", 'hunter2'],
    ['a password within SQL', "UPDATE u SET password = 'hunter2' WHERE id = 1", 'hunter2'],
    ['a named key with a prefix', 'AWS_SECRET_KEY=hunter2', 'hunter2'],
    ['32 hexadecimal digits', 'digest 9e107d9d372bb6826bd81d3542a419d6', '9e107d9d'],
    ['a long key in base64', 'k wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY9 e', 'wJalrXUt'],
  ];
  for (const [title, text, secret] of hidden) {
    it(`hides ${title}`, () => {
      const shown = redactText(text);
      assert.ok(!shown.includes(secret), shown);
      assert.match(shown, /\[redacted\]/);
    });
  }

  const shown: readonly string[] = [
    'SELECT "auth_user"."password" FROM "auth_user" WHERE "id" = %s',
    'UPDATE u SET password = %s, token = ? WHERE id = $1',
    '/static/admin/css/responsive_and_very_long_name_of_a_file.css',
    'shop.views.product_detail_with_a_very_long_name_indeed',
    'GET /products/12345?page=2 HTTP/1.1',
    'the order 1234567890123 of 2026-11-30',
    'the password is wrong',
  ];
  for (const text of shown) it(`leaves ${text}`, () => assert.equal(redactText(text), text));

  it('takes linear time for hostile text', () => {
    for (const piece of ['a_', '://a:', 'password', '1 ', '-----BEGIN ', 'eyJaaaaaa.', '"\'=']) {
      const text = piece.repeat(50_000);
      assert.ok(redactText(text).length >= 0);
    }
  });
});

describe('redactField', () => {
  it('keeps the names of cookies and the attributes of Set-Cookie', () => {
    assert.deepEqual(redactField('Cookie', 'a=1; sessionid=2'), ['Cookie', 'a=[redacted]; sessionid=[redacted]']);
    assert.deepEqual(redactField('Set-Cookie', 'sessionid=abc; Path=/; HttpOnly'), [
      'Set-Cookie',
      'sessionid=[redacted]; Path=/; HttpOnly',
    ]);
  });

  it('hides the values of fields with the names of secrets', () => {
    for (const name of [
      'Authorization',
      'Proxy-Authorization',
      'X-Api-Key',
      'X-CSRFToken',
      'X-Auth-Token',
      'Viaduct-Trace',
    ])
      assert.deepEqual(redactField(name, 'abc'), [name, '[redacted]'], name);
    assert.deepEqual(redactField('WWW-Authenticate', 'Basic realm="a"')[1], 'Basic realm="a"');
  });
});

describe('redactNamed', () => {
  it('goes by the name of a variable, and otherwise by the shape of its value', () => {
    assert.equal(redactNamed('DJANGO_SECRET_KEY', 'abc'), '[redacted]');
    assert.equal(redactNamed('DATABASE_URL', 'mysql://a:b@c/d'), 'mysql://a:[redacted]@c/d');
    assert.equal(redactNamed('SESSION_COOKIE_AGE', '1209600'), '1209600');
    assert.equal(redactNamed('password', ''), '');
  });
});

describe('redactTarget', () => {
  it('hides the values of parameters with the names of secrets, also if the name is encoded', () => {
    assert.equal(
      redactTarget('/a?q=1&access_token=x&pass%77ord=y&b'),
      '/a?q=1&access_token=[redacted]&pass%77ord=[redacted]&b',
    );
    assert.equal(redactTarget('/a?%zz=1'), '/a?%zz=1');
  });
});
