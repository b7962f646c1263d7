import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redactField, redactNamed, redactSource, redactTarget, redactText } from '../../src/trace/redact.ts';

describe('redactSource', () => {
  it('hides what is written in a program, and leaves names and calls', () => {
    const lines = {
      "password = 'hunter2'": 'password = [redacted]',
      'DB = {"PASSWORD": b"hunter2"}': 'DB = {"PASSWORD": [redacted]}',
      "secret = SecretStr('hunter2')": 'secret = [redacted])',
      "tokens = ['hunter2', 'x']": 'tokens = [redacted]',
      "url = 'postgres://u:hunter2@db/x'": "url = 'postgres://u:[redacted]@db/x'",
    };
    for (const [line, shown] of Object.entries(lines)) assert.equal(redactSource(line), shown);
    for (const line of [
      "token = request.GET['token']",
      'token = tokens[user.id]',
      'def login(password: str, token=None):',
      'return self.token == other.token',
      'user = authenticate(username=name, password=password)',
      "api_key = os.environ['API_KEY']",
    ])
      assert.equal(redactSource(line), line);
  });
});

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
    ['a value in the list of a form', "<QueryDict: {'user': ['a'], 'password': ['hunter2', 'hunter2']}>", 'hunter2'],
    ['bytes', "{'password': b'hunter2'}", 'hunter2'],
    ['the fields of a form that changes a password', "{'password1': 'a', 'new_password2': 'hunter2'}", 'hunter2'],
    ['a name with capitals within', '{"accessToken": "hunter2"}', 'hunter2'],
    ['JSON within JSON', '{\\"password\\": \\"hunter2\\"}', 'hunter2'],
    ['a value with a quote that is escaped', "password: 'it\\'s hunter2'", 'hunter2'],
    ['a text over several lines', 'password="""hunter2"""', 'hunter2'],
    ['an object that wraps a secret', "secret = SecretStr('hunter2')", 'hunter2'],
    ['an option of a command', "['login', '--password', 'hunter2']", 'hunter2'],
    ['an option in a line', 'login -db-password hunter2 --now', 'hunter2'],
    ['a pair', "MultiDict([('password', 'hunter2')])", 'hunter2'],
    ['an element of a name', 'user[password]=hunter2', 'hunter2'],
    ['a parameter within a parameter', '/a?next=%2Fb%3Fpassword%3Dhunter2', 'hunter2'],
    ['the middle of a name', 'AWS_SECRET_ACCESS_KEY=hunter2', 'hunter2'],
    ['a part of a name', "DB_PASS='hunter2'", 'hunter2'],
    ['a password of SQL', "ALTER USER x PASSWORD 'hunter2'", 'hunter2'],
    ['all cookies of a text', "'HTTP_COOKIE': 'a=b; sid=hunter2'", 'hunter2'],
    ['all cookies of a field in a text', 'Cookie: a=b; sid=hunter2', 'hunter2'],
    ['a password with an at sign', 'postgres://u:p@hunter2@db/x', 'hunter2'],
    ['a password with a slash', 'postgres://u:p/hunter2@db/x', 'hunter2'],
    ['a hexadecimal key within a path', '/activate/9e107d9d372bb6826bd81d3542a419d6/', '9e107d9d'],
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
    'the user-token expired',
    'login --password --now',
    'UPDATE "u" SET "password" = %s, "token" = %(token)s WHERE "secret" = :secret',
    'SELECT "u"."password", "u"."last_login" FROM "u" WHERE token IN (%s, %s)',
    'http://127.0.0.1:8000/users/@me',
    'the compass: north, exit code: 1',
  ];
  for (const text of shown) it(`leaves ${text}`, () => assert.equal(redactText(text), text));

  it('takes linear time for hostile text', () => {
    for (const piece of [
      'a_',
      '://a:',
      'password',
      '1 ',
      '-----BEGIN ',
      'eyJaaaaaa.',
      '"\'=',
      '/',
      'a/',
      "password=['",
      '--token ',
      '-token-',
    ]) {
      const text = piece.repeat(200_000);
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

  it('hides a cookie without a name', () => {
    assert.deepEqual(redactField('Cookie', 'a=1; abc'), ['Cookie', 'a=[redacted];[redacted]']);
    assert.deepEqual(redactField('Set-Cookie', 'abc; Path=/'), ['Set-Cookie', '[redacted]; Path=/']);
  });

  it('hides parameters of addresses, and leaves the place in a trace', () => {
    assert.deepEqual(redactField('Location', 'https://a/cb?code=abc&b=1')[1], 'https://a/cb?code=[redacted]&b=1');
    const parent = '00-9e107d9d372bb6826bd81d3542a419d6-9e107d9d372bb682-01';
    assert.deepEqual(redactField('traceparent', parent)[1], parent);
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
