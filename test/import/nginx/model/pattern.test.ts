import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePattern } from '../../../../src/import/nginx/model/pattern.ts';
import { samplesOf } from '../../../../src/import/nginx/model/sample-pattern.ts';

function matches(source: string, text: string, ignoresCase = false): boolean {
  const { regex, wrong } = parsePattern(source, ignoresCase);
  assert.ok(regex !== null, wrong ?? '');
  return regex.test(text);
}

describe('parsePattern', () => {
  it('lets a dollar sign match before a last line feed, as PCRE does', () => {
    assert.ok(matches('\\.php$', '/a.php\n'));
    assert.ok(!matches('\\.php$', '/a.php\n\n'));
    assert.ok(!matches('\\.php\\z', '/a.php\n'));
  });

  it('matches blanks of ASCII only, and no line feed with a dot', () => {
    assert.ok(!matches('\\s', '\xa0'));
    assert.ok(matches('^a.b$', 'a\rb'));
    assert.ok(!matches('^a.b$', 'a\nb'));
  });

  it('understands names and modes at the start as PCRE writes them', () => {
    assert.deepEqual(parsePattern('^/(?P<first>a)', false).names, ['first']);
    assert.ok(matches('(?i)ABC', 'abc'));
    assert.ok(matches('[]a]', ']'));
  });

  it('supports look-around', () => {
    assert.ok(matches('^/(?!admin)', '/public'));
    assert.ok(!matches('^/(?!admin)', '/admin'));
  });

  it('says what JavaScript lacks', () => {
    for (const source of ['a++', '(?>a)', '(a(?i)b)', '[[:alpha:]]', '\\Qa\\E', '(a)\\1', '(?R)'])
      assert.equal(parsePattern(source, false).regex, null, source);
    for (const source of ['a\\++', '[*+]', '\\\\d+']) assert.notEqual(parsePattern(source, false).regex, null, source);
  });
});

describe('samplesOf', () => {
  it('makes a text for each alternative', () => {
    assert.deepEqual(samplesOf(parsePattern('\\.(css|js)$', false)), ['.css', '.js']);
    assert.deepEqual(samplesOf(parsePattern('^/(\\d{2})/[a-c]?$', false)), ['/11/a', '/11/']);
  });

  it('leaves out what look-around excludes', () => {
    assert.deepEqual(samplesOf(parsePattern('^/(?!a)(a|b)$', false)), ['/b']);
  });
});
