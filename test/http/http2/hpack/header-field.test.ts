import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HpackDecoder } from '../../../../src/http/http2/hpack/decoder.ts';
import { HeaderField } from '../../../../src/http/http2/hpack/header-field.ts';
import { decodeSection, octets } from './sections.ts';

describe('HeaderField', () => {
  const fine = [
    ['a', ''],
    [':path', '/a b'],
    ['x-y_z.1', 'a\tb'],
    ["!#$%&'*+-.^_`|~", 'é'],
    ['host', '\x80\xff'],
  ] as const;
  for (const [name, value] of fine) {
    it(`finds nothing wrong with ${JSON.stringify([name, value])}`, () =>
      assert.equal(new HeaderField(name, value, false).fault, ''));
  }
  const wrong = [
    { name: '', value: 'a', fault: /name is empty/ },
    { name: ':', value: 'a', fault: /name is empty/ },
    { name: '::a', value: 'a', fault: /name .*invalid/ },
    { name: 'a:', value: 'a', fault: /name .*invalid/ },
    { name: 'a b', value: 'a', fault: /name .*invalid/ },
    { name: 'a\x00', value: 'a', fault: /name .*invalid/ },
    { name: 'a\x7f', value: 'a', fault: /name .*invalid/ },
    { name: 'é', value: 'a', fault: /name .*invalid/ },
    { name: 'Host', value: 'a', fault: /upper-case/ },
    { name: 'hosT', value: 'a', fault: /upper-case/ },
    { name: ':Path', value: 'a', fault: /upper-case/ },
    { name: 'a', value: ' a', fault: /white space/ },
    { name: 'a', value: 'a\t', fault: /white space/ },
    { name: 'a', value: ' ', fault: /white space/ },
    { name: 'a', value: 'a\rb', fault: /line break/ },
    { name: 'a', value: 'a\n', fault: /line break/ },
    { name: 'a', value: 'a\x00b', fault: /control/ },
    { name: 'a', value: '\x1f', fault: /control/ },
    { name: 'a', value: 'a\x7f', fault: /control/ },
  ];
  for (const { name, value, fault } of wrong) {
    it(`refuses ${JSON.stringify([name, value])}`, () =>
      assert.match(new HeaderField(name, value, false).fault, fault));
  }

  it('passes the fault of a name on to the fields that refer to it', () => {
    const decoder = new HpackDecoder();
    assert.match(decodeSection(decoder, octets('400141 0162')).fields[0]?.fault ?? '', /upper-case/);
    assert.match(decodeSection(decoder, octets('7e0163')).fields[0]?.fault ?? '', /upper-case/);
    assert.match(decodeSection(decoder, octets('be')).fields[0]?.fault ?? '', /upper-case/);
  });
});
