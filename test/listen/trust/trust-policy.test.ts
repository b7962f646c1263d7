import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Peer, Request } from '../../../src/http/message.ts';
import { CidrList } from '../../../src/http/semantics/cidr.ts';
import { type TrustOptions, trustProxies } from '../../../src/listen/trust/trust-policy.ts';
import { requestOf, valuesOf } from '../../support/handler.ts';

const PROXY = '10.0.0.1';
const CLIENT = '192.0.2.1';
const EVERYTHING = ['address', 'scheme', 'host', 'port', 'prefix'];

function receive(options: Partial<TrustOptions> & { readonly proxies?: readonly string[] } = {}) {
  const list = CidrList.parse(options.proxies ?? ['10.0.0.0/8', '2001:db8:10::/48', 'unix']);
  return trustProxies({ trusted: (address) => list.matches(address), values: EVERYTHING, ...options });
}

/** What the request says about the client after `receive`, with its fields except Host. */
function seen(request: Request): readonly unknown[] {
  const { peer, host, headers } = request;
  return [peer.remoteAddress, peer.secure, host, peer.serverPort, headers.slice(2)];
}

/** A request from the proxy, with these fields. */
function byProxy(headers: readonly string[], peer: Partial<Peer> = {}): Request {
  return requestOf({
    headers: ['Host', 'inner.example', ...headers],
    host: 'inner.example',
    peer: { remoteAddress: PROXY, ...peer },
  });
}

function addressOf(headers: readonly string[], options: Parameters<typeof receive>[0] = {}): string {
  return receive(options)(byProxy(headers)).peer.remoteAddress;
}

describe('trustProxies, with any client', () => {
  const forged = [
    'Forwarded',
    'for=10.9.9.9;proto=https;host=evil.example',
    'X-Forwarded-For',
    '10.9.9.9',
    'x-forwarded-proto',
    'https',
    'X-FORWARDED-HOST',
    'evil.example',
    'X-Forwarded-Port',
    '443',
    'X-Forwarded-Prefix',
    '/admin',
    'X-Forwarded-Anything',
    'yes',
    'X-Real-IP',
    '10.9.9.9',
    'X_Forwarded_For',
    '10.9.9.9',
    'X_Real-Ip',
    '10.9.9.9',
  ];

  for (const [when, options, address] of [
    ['no proxy is trusted', { trusted: null }, CLIENT],
    ['only other addresses are trusted', {}, CLIENT],
    ['only other addresses are trusted and it uses a Unix socket', { proxies: ['10.0.0.0/8'] }, ''],
  ] as const) {
    it(`removes all fields of proxies from a client's request when ${when}`, () => {
      const request = requestOf({
        headers: ['Host', 'test.example', ...forged, 'X-Requested-With', 'fetch', 'From', 'a@example.org'],
        peer: { remoteAddress: address },
      });
      const received = receive(options)(request);
      assert.deepEqual(received.headers, [
        'Host',
        'test.example',
        'X-Requested-With',
        'fetch',
        'From',
        'a@example.org',
      ]);
      assert.deepEqual(received.peer, request.peer);
      assert.equal(received.host, 'test.example');
      assert.equal(received.headerCacheId, 0);
    });
  }

  it('returns a request unchanged when it has no such fields', () => {
    for (const remoteAddress of [PROXY, CLIENT]) {
      const request = requestOf({ headers: ['Host', 'a', 'X-Requested-With', 'fetch'], peer: { remoteAddress } });
      assert.equal(receive()(request), request);
    }
  });
});

describe('trustProxies, X-Forwarded-For', () => {
  const cases: [string, string, string][] = [
    ['the client of one proxy', '203.0.113.7', '203.0.113.7'],
    ['the client before several proxies', '203.0.113.7, 10.1.1.1, 10.2.2.2', '203.0.113.7'],
    [
      'the nearest address that is not a proxy, whatever the client wrote before it',
      '127.0.0.1, 203.0.113.7',
      '203.0.113.7',
    ],
    ['the nearest address even after an invalid one', 'nonsense "; drop, 203.0.113.7', '203.0.113.7'],
    ['the outermost address when all are proxies', '10.3.3.3, 10.1.1.1', '10.3.3.3'],
    ['an IPv6 address', '2001:DB8::7', '2001:db8::7'],
    ['an IPv6 address in brackets with a port', '[2001:db8::7]:4711', '2001:db8::7'],
    ['an IPv4 address with a port', '203.0.113.7:4711', '203.0.113.7'],
    ['an IPv4 address mapped to IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
    ['a client behind an IPv6 proxy', '203.0.113.7, 2001:db8:10::1', '203.0.113.7'],
    ['the nearest address next to empty elements', ', 203.0.113.7, ,', '203.0.113.7'],
  ];
  for (const [what, value, address] of cases) {
    it(`takes ${what}`, () => assert.equal(addressOf(['X-Forwarded-For', value]), address));
  }

  it('reads several lines as one list', () => {
    assert.equal(addressOf(['X-Forwarded-For', '1.1.1.1, 203.0.113.7', 'x-forwarded-for', '10.1.1.1']), '203.0.113.7');
  });

  it('takes the port when there is one, and 0 otherwise', () => {
    assert.equal(receive()(byProxy(['X-Forwarded-For', '203.0.113.7:4711'])).peer.remotePort, 4711);
    assert.equal(receive()(byProxy(['X-Forwarded-For', '203.0.113.7'])).peer.remotePort, 0);
  });

  it('trusts at most `hopsMax` proxies', () => {
    const value = '203.0.113.7, 10.1.1.1, 10.2.2.2';
    assert.equal(addressOf(['X-Forwarded-For', value], { hopsMax: 1 }), '10.2.2.2');
    assert.equal(addressOf(['X-Forwarded-For', value], { hopsMax: 2 }), '10.1.1.1');
    assert.equal(addressOf(['X-Forwarded-For', value], { hopsMax: 3 }), '203.0.113.7');
  });

  it('removes the addresses that the client wrote itself', () => {
    const received = receive()(
      byProxy(['X-Forwarded-For', '127.0.0.1, 203.0.113.7, 10.1.1.1', 'X-Real-IP', '127.0.0.1']),
    );
    assert.deepEqual(valuesOf(received.headers, 'x-forwarded-for'), ['203.0.113.7, 10.1.1.1']);
    assert.deepEqual(valuesOf(received.headers, 'x-real-ip'), ['203.0.113.7']);
  });

  it('takes precedence over X-Real-IP, which is taken when it is alone', () => {
    assert.equal(addressOf(['X-Real-IP', '203.0.113.8', 'X-Forwarded-For', '203.0.113.7']), '203.0.113.7');
    assert.equal(addressOf(['X-Real-IP', '203.0.113.8']), '203.0.113.8');
  });

  it('is trusted from a Unix socket when Unix sockets are trusted', () => {
    const request = byProxy(['X-Forwarded-For', '203.0.113.7'], { remoteAddress: '' });
    assert.equal(receive()(request).peer.remoteAddress, '203.0.113.7');
    assert.equal(receive({ proxies: ['10.0.0.0/8'] })(request).peer.remoteAddress, '');
  });

  for (const value of [
    '203.0.113.7.8',
    '[::1',
    '203.0.113.7:99999',
    'fe80::1%eth0',
    'client.example',
    '203.0.113.7 10.0.0.1',
  ]) {
    it(`ignores all fields of a proxy when the client's address is "${value}", and reports it once`, () => {
      const reports: string[] = [];
      const stage = receive({ onIgnored: (message) => reports.push(message) });
      const request = byProxy([
        'X-Forwarded-For',
        value,
        'X-Forwarded-Proto',
        'https',
        'X-Forwarded-Host',
        'b.example',
      ]);
      for (const received of [stage(request), stage(request)]) {
        assert.deepEqual(received.peer, request.peer);
        assert.equal(received.host, 'inner.example');
        assert.deepEqual(received.headers, ['Host', 'inner.example']);
      }
      assert.equal(reports.length, 1);
    });
  }
});

describe('trustProxies, scheme, host and port', () => {
  const origin = (headers: readonly string[], peer: Partial<Peer> = {}) => {
    const { peer: after, host } = receive()(byProxy(headers, peer));
    return [after.secure, host, after.serverPort];
  };

  it('takes the scheme, and the default port of the scheme', () => {
    assert.deepEqual(origin(['X-Forwarded-Proto', 'https']), [true, 'inner.example', '443']);
    assert.deepEqual(origin(['X-Forwarded-Proto', 'HTTP'], { secure: true }), [false, 'inner.example', '80']);
    assert.deepEqual(origin(['X-Forwarded-Proto', 'wss']), [true, 'inner.example', '443']);
  });

  it('takes the host with its port', () => {
    assert.deepEqual(origin(['X-Forwarded-Host', 'www.example:8443']), [false, 'www.example:8443', '8443']);
    assert.deepEqual(origin(['X-Forwarded-Host', '[2001:db8::1]']), [false, '[2001:db8::1]', '80']);
  });

  it('adds a Host when a request of HTTP/1.0 has none', () => {
    const request = requestOf({
      headers: ['X-Forwarded-Host', 'www.example'],
      host: '',
      peer: { remoteAddress: PROXY },
    });
    assert.deepEqual(valuesOf(receive()(request).headers, 'host'), ['www.example']);
  });

  it('prefers X-Forwarded-Port to other ports', () => {
    const headers = ['X-Forwarded-Port', '4443', 'X-Forwarded-Host', 'www.example:1', 'X-Forwarded-Proto', 'https'];
    assert.deepEqual(origin(headers), [true, 'www.example:1', '4443']);
  });

  it('leaves all three unchanged when only an address is present', () => {
    assert.deepEqual(origin(['X-Forwarded-For', '203.0.113.7'], { secure: true }), [true, 'inner.example', '']);
  });

  it('takes the value of the proxy next to the client from a list, never that of the client', () => {
    const oneHop = ['X-Forwarded-For', '203.0.113.7', 'X-Forwarded-Proto', 'https, http'];
    assert.equal(origin(oneHop)[0], false);
    const twoHops = ['X-Forwarded-For', '203.0.113.7, 10.1.1.1', 'X-Forwarded-Proto', 'https, http'];
    assert.equal(origin(twoHops)[0], true);
    const kept = ['X-Forwarded-For', '203.0.113.7, 10.1.1.1', 'X-Forwarded-Proto', 'https'];
    assert.equal(origin(kept)[0], true);
  });

  for (const bad of [
    ['X-Forwarded-Proto', 'gopher'],
    ['X-Forwarded-Host', 'two words'],
    ['X-Forwarded-Host', 'user@www.example'],
    ['X-Forwarded-Port', '70000'],
    ['X-Forwarded-Port', '0x50'],
  ]) {
    it(`ignores the three together, but not the address, when one is invalid: ${bad.join(' ')}`, () => {
      const good = ['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'b.example', 'X-Forwarded-Port', '443'];
      const others = good.filter((_, i) => good[i & ~1] !== bad[0]);
      const received = receive()(byProxy(['X-Forwarded-For', '203.0.113.7', ...others, ...bad]));
      assert.equal(received.peer.remoteAddress, '203.0.113.7');
      assert.deepEqual([received.peer.secure, received.host, received.peer.serverPort], [false, 'inner.example', '']);
      assert.deepEqual(received.headers, ['Host', 'inner.example', 'X-Forwarded-For', '203.0.113.7']);
    });
  }

  it('passes on fields that it does not read itself, such as a prefix', () => {
    const received = receive()(byProxy(['X-Forwarded-Prefix', '/shop']));
    assert.deepEqual(valuesOf(received.headers, 'x-forwarded-prefix'), ['/shop']);
    assert.equal(received.peer.remoteAddress, PROXY);
  });
});

describe('trustProxies, Forwarded', () => {
  const cases: [string, string, string][] = [
    ['a token', 'for=203.0.113.7;proto=https;by=10.0.0.1', '203.0.113.7'],
    ['a name in any case and spaces around elements', ' For=203.0.113.7 ,  for=10.1.1.1 ', '203.0.113.7'],
    ['a quoted IPv6 address', 'for="[2001:db8:cafe::17]"', '2001:db8:cafe::17'],
    ['a quoted IPv6 address with a port', 'for="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['an address with an obfuscated port', 'for="203.0.113.7:_p80"', '203.0.113.7'],
    ['a quoted pair', 'for="203.0.113\\.7"', '203.0.113.7'],
    ['commas and semicolons within quotes', 'for=203.0.113.7;ext="a,b;\\"for=1.1.1.1"', '203.0.113.7'],
    ['0.0.0.0 for unknown', 'for=unknown', '0.0.0.0'],
    ['0.0.0.0 for an obfuscated identifier', 'for=_hidden.client', '0.0.0.0'],
    ['0.0.0.0 when an outer proxy hides its client', 'proto=https, for=10.1.1.1', '0.0.0.0'],
    ['the nearest address even when a client left a quote open', 'for="9.9.9.9, for=203.0.113.7', '203.0.113.7'],
    [
      'the nearest address even when a client left an escape open',
      'for="9.9.9.9\\, for="[2001:db8::7]"',
      '2001:db8::7',
    ],
  ];
  for (const [what, value, address] of cases) {
    it(`takes ${what}`, () => assert.equal(addressOf(['Forwarded', value]), address));
  }

  it('takes scheme and host from the hop that the client connected to', () => {
    const value =
      'for=9.9.9.9;host=evil.example, for=203.0.113.7;host="www.example:8443";proto=https, for=10.1.1.1;proto=http';
    const received = receive()(byProxy(['Forwarded', value]));
    assert.equal(received.peer.remoteAddress, '203.0.113.7');
    assert.equal(received.peer.secure, true);
    assert.equal(received.peer.serverPort, '8443');
    assert.equal(received.host, 'www.example:8443');
    assert.deepEqual(valuesOf(received.headers, 'forwarded'), [value.slice(value.indexOf('for=203'))]);
  });

  it('may contain a scheme without an address', () => {
    const received = receive()(byProxy(['Forwarded', 'proto=https']));
    assert.equal(received.peer.remoteAddress, PROXY);
    assert.equal(received.peer.secure, true);
  });

  for (const value of [
    'for=',
    'for',
    'for=a b',
    'for=[::1]',
    'for=1.1.1.1;for=2.2.2.2',
    'for="1.1.1.1',
    'for = 1.1.1.1',
    '=x',
    'for="[::1]:x"',
  ]) {
    it(`is ignored when its nearest element is ${value}`, () => {
      assert.equal(addressOf(['Forwarded', `for=9.9.9.9, ${value}`]), PROXY);
    });
  }

  it('is ignored and removed when X-Forwarded-For is present', () => {
    const headers = ['Forwarded', 'for=9.9.9.9;proto=https', 'X-Forwarded-For', '203.0.113.7'];
    const received = receive()(byProxy(headers));
    assert.equal(received.peer.remoteAddress, '203.0.113.7');
    assert.equal(received.peer.secure, false);
    assert.deepEqual(valuesOf(received.headers, 'forwarded'), []);
  });

  it('counts alone when `fields` is forwarded, and not at all when `fields` is x-forwarded', () => {
    const headers = ['Forwarded', 'for=203.0.113.7', 'X-Forwarded-For', '9.9.9.9', 'X-Forwarded-Prefix', '/'];
    const forwarded = receive({ fields: 'forwarded' })(byProxy(headers));
    assert.equal(forwarded.peer.remoteAddress, '203.0.113.7');
    assert.deepEqual(forwarded.headers, ['Host', 'inner.example', 'Forwarded', 'for=203.0.113.7']);
    assert.equal(addressOf(['Forwarded', 'for=203.0.113.7'], { fields: 'x-forwarded' }), PROXY);
  });
});

describe('trustProxies, values that proxies may state', () => {
  const everything = [
    ...['X-Forwarded-For', '203.0.113.7', 'X-Real-IP', '203.0.113.7', 'X-Forwarded-Proto', 'https'],
    ...['X-Forwarded-Host', 'evil.example', 'X-Forwarded-Port', '4443', 'X-Forwarded-Prefix', '/evil'],
    ...['X-Forwarded-User', 'admin', 'X-Forwarded-Ssl', 'on', 'X-Forwarded-Email', 'a@example.org'],
  ];
  const address = ['X-Forwarded-For', '203.0.113.7', 'X-Real-IP', '203.0.113.7'];
  const scheme = ['X-Forwarded-Proto', 'https'];

  it('are the address and the scheme by default', () => {
    const received = trustProxies({ trusted: () => true, hopsMax: 1 })(byProxy(everything));
    assert.deepEqual(seen(received), ['203.0.113.7', true, 'inner.example', '443', [...address, ...scheme]]);
  });

  for (const [values, expected] of [
    [[], [PROXY, false, 'inner.example', '', []]],
    [['address'], ['203.0.113.7', false, 'inner.example', '', address]],
    [['scheme'], [PROXY, true, 'inner.example', '443', scheme]],
    [['x-forwarded-Host'], [PROXY, false, 'evil.example', '80', ['X-Forwarded-Host', 'evil.example']]],
    [['port'], [PROXY, false, 'inner.example', '4443', ['X-Forwarded-Port', '4443']]],
    [['prefix'], [PROXY, false, 'inner.example', '', ['X-Forwarded-Prefix', '/evil']]],
    [['X-Forwarded-user'], [PROXY, false, 'inner.example', '', ['X-Forwarded-User', 'admin']]],
  ] as const) {
    it(`are only those of the setting: ${values.join(', ') || 'none'}`, () => {
      assert.deepEqual(seen(receive({ values })(byProxy(everything))), expected);
    });
  }

  for (const [values, expected] of [
    [
      ['address', 'scheme'],
      ['203.0.113.7', true, 'inner.example'],
    ],
    [['host'], [PROXY, false, 'www.example']],
    [[], [PROXY, false, 'inner.example']],
  ] as const) {
    it(`are only those of the setting in Forwarded: ${values.join(', ') || 'none'}`, () => {
      const headers = ['Forwarded', 'for=203.0.113.7;proto=https;host=www.example'];
      const received = receive({ values })(byProxy(headers));
      assert.deepEqual(seen(received).slice(0, 3), expected);
      assert.equal(received.headers.includes('Forwarded'), values.includes('address' as never));
    });
  }

  it('let no field that does not count hide Forwarded', () => {
    for (const name of ['X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Prefix']) {
      const received = receive({ values: ['address', 'scheme'] })(byProxy([name, '1', 'Forwarded', 'for=203.0.113.7']));
      assert.deepEqual(seen(received).slice(0, 1), ['203.0.113.7'], name);
    }
  });

  it('let no malformed field that does not count hide the scheme', () => {
    const headers = ['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'two words', 'X-Forwarded-Port', 'x'];
    assert.equal(receive({ values: ['scheme'] })(byProxy(headers)).peer.secure, true);
  });
});

describe('trustProxies, with a user over FastCGI', () => {
  const cgi = {
    scriptName: '/s',
    protocol: 'HTTP/1.1',
    variables: ['DOCUMENT_ROOT', '/srv'],
    user: ['REMOTE_USER', 'jane', 'AUTH_TYPE', 'Basic'],
  } as const;
  const fields = [[], ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-For', 'malformed,']];

  for (const remoteAddress of [PROXY, CLIENT]) {
    it(`leaves the user out unless the proxies may state it, from ${remoteAddress}`, () => {
      const ignored: string[] = [];
      const receiving = receive({ onIgnored: (message) => ignored.push(message) });
      for (const headers of fields) {
        const { peer } = receiving(byProxy(headers, { remoteAddress, cgi }));
        assert.deepEqual(peer.cgi, { ...cgi, user: [] }, `${headers}`);
      }
      assert.deepEqual(ignored.filter((message) => message.includes('REMOTE_USER')).length, 1);
    });

    it(`keeps the user when the proxies may state it, from ${remoteAddress}`, () => {
      const receiving = receive({ values: [...EVERYTHING, 'user'] });
      for (const headers of fields)
        assert.deepEqual(receiving(byProxy(headers, { remoteAddress, cgi })).peer.cgi, cgi, `${headers}`);
    });
  }

  it('changes nothing of a request without a user', () => {
    const request = byProxy([], { cgi: { ...cgi, user: [] } });
    assert.equal(receive()(request), request);
  });
});
