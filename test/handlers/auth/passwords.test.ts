import { equal, match, notEqual, ok, rejects, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../../src/errors.ts';
import { parseHtpasswd, readHtpasswd } from '../../../src/handlers/auth/htpasswd.ts';
import { hashPassword, parsePasswordHash } from '../../../src/handlers/auth/passwords.ts';

/** Hashes from OpenSSL 3, Python's hashlib, and the specifications of the formats. */
const HASHES: readonly (readonly [password: string, hash: string])[] = [
  ['a', '$5$abcDEF./12$LTcFzFmkvVQBrX430/y63SgN8BnMDz4nl5WSxvCTfK5'],
  ['a', '$6$0123456789abcdef$qn2kMgR/Cs9pZI2hZfok3cbi0oHyRjH7NUyfGhPKp6EBvlZWbL3JMmASYlyEBxhP4jB3zti0119AKDkHdAVHI0'],
  ['Hello world!', '$5$abcDEF./12$E98kJDsz6EAuJ8pP29aNzlPdLmrHKcl1tgnf/ug5SC7'],
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'Hello world!',
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  ],
  ['pässwörd', '$5$abcDEF./12$YEfu6W5bikxbrLh0V//mihZaFwbbYPDBUfG95RQVga7'],
  [
    'pässwörd',
    '$6$0123456789abcdef$SbYrq9vmP3mhdocMu6pAC/f.xWxY2daFD3BB.LQwWeU2vm9Kk529r2RRD35SLt1PrlKfEVlyiymFPnfNDWfx6.',
  ],
  ['x'.repeat(70), '$5$abcDEF./12$6wkXiQG.bFj6.T7OEMLc3dsEDZ/U8cqR5XyPvyMr8HB'],
  [
    'x'.repeat(70),
    '$6$0123456789abcdef$r.WKz9Zdhlwekw/UyTW6q4PAxAW.u5FxW4z3fqHeN9nQyIvCxGuXjJKP5hViHouec.zpNMalGUgH9zznbtuBL/',
  ],
  [
    'test',
    '$6$rounds=1000$short$uSA0O3TzukWE7BIEfwM4i2o4VS.awxP2qQfzIk.lS6h6u.0fuuB2UJGn1a70J843y7IQ.aMWvikzax1g6Gyjj1',
  ],
  ['test', '$5$rounds=1500$q$Zj8uxCayoEHuLGNH2IO.MKKfrGS2Y1vjq5Tg3VjK2dD'],
  ['lètmein', 'pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A='],
  ['password', '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'],
];

/** MD5-crypt of OpenSSL 3 and of `htpasswd`. */
const MD5_HASHES: readonly (readonly [password: string, hash: string])[] = [
  ['secret', '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/'],
  ['secret', '$1$xyz$Qia9Wq6FxQkYcwNWMk/RM0'],
  ['', '$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie.'],
  ['a', '$1$xyz$r2NBTbk2gPEph8n88/DeR1'],
  ['exactly16charss!', '$apr1$abcdefgh$4LWVByzHsnRMmdwPreFjE0'],
  ['longer than sixteen characters', '$apr1$abcdefgh$4o49yAQ77WKR3Tw6.WP/f/'],
  ['pässwörd', '$apr1$abcdefgh$030j6I3f1zNCF9tihqdd11'],
  ['htpasswd secret', '$apr1$DtW7zZDF$zRtnXB0rJ.Xj6VuJrmIuS0'],
];

const verify = (hash: string, password: string) => parsePasswordHash(hash, 'anna').verify(Buffer.from(password));

describe('a password', () => {
  for (const [password, hash] of HASHES) {
    it(`is verified with ${hash.slice(0, 24)}…, and no other password is`, async () => {
      equal(await verify(hash, password), true);
      for (const other of ['', `${password} `, password.slice(1), password.toUpperCase()]) {
        equal(await verify(hash, other), false, other);
      }
    });
  }

  for (const [password, hash] of MD5_HASHES) {
    it(`is verified with ${hash} only if MD5 is allowed`, async () => {
      throws(() => parsePasswordHash(hash, 'anna'), /MD5 can be guessed too fast \(allow_md5 = true accepts it\)/);
      const allowed = parsePasswordHash(hash, 'anna', true);
      equal(await allowed.verify(Buffer.from(password)), true);
      for (const other of [`${password}x`, password === '' ? 'a' : password.slice(1)])
        equal(await allowed.verify(Buffer.from(other)), false, other);
    });
  }

  it('has a whole hash of MD5 even if MD5 is allowed', () => {
    for (const hash of [
      '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ',
      '$apr1$ninechars$h9FWgUz3n9YxylKLlR5SQ/',
      '$1$$',
      '{SHA}x',
    ])
      throws(() => parsePasswordHash(hash, 'anna', true), /Cannot use the password of user "anna": (?!MD5)/);
  });

  it('is hashed with a random salt, and verified', async () => {
    const [one, two] = [await hashPassword('sésame'), await hashPassword('sésame')];
    notEqual(one, two);
    for (const hash of [one, two]) {
      match(hash, /^\$scrypt\$ln=15,r=8,p=3\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
      equal(await verify(hash, 'sésame'), true);
      equal(await verify(hash, 'sesame'), false);
    }
  });

  it('is refused when it is empty or too long', async () => {
    await rejects(hashPassword(''), /0 bytes/);
    await rejects(hashPassword('ä'.repeat(513)), /1026 bytes/);
    equal(await verify(HASHES[0]?.[1] as string, 'a'.repeat(1025)), false);
  });

  const invalid: readonly (readonly [hash: string, RegExp])[] = [
    ['secret', /not hashed/],
    ['', /not hashed/],
    ['$2y$05$CXyPzZfPouQuVJtmBXetVu9ACImDZASeRsvZZeL35stSvMci8GF/i', /bcrypt/],
    ['{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=', /SHA-1/],
    ['$apr1$abc$ot/gVVIUHfDP8w8ZU4.8z1', /MD5/],
    ['$1$abc$ot/gVVIUHfDP8w8ZU4.8z1', /MD5/],
    ['$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub', /Argon2/],
    ['$y$j9T$salt$hash', /yescrypt/],
    ['pbkdf2_sha1$1000$seasalt$abcd', /kind is unknown/],
    ['$5$salt$short', /kind is unknown, or it is damaged/],
    [`$5$salt$${'a'.repeat(86)}`, /damaged/],
    [`$6$rounds=9999999$salt$${'a'.repeat(86)}`, /rounds/],
    ['pbkdf2_sha256$1000$seasalt$YWJj', /damaged/],
    ['pbkdf2_sha256$99999999$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=', /iterations/],
    ['pbkdf2_sha256$0$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A=', /iterations/],
    ['$scrypt$ln=24,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD', /memory/],
    ['$scrypt$ln=10,r=8,p=99$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD', /memory or time/],
    ['$scrypt$ln=0,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD', /parameters are invalid/],
  ];
  for (const [hash, message] of invalid) {
    it(`stored as ${hash.slice(0, 20)} is refused with the name of the user, but without the hash`, () => {
      throws(
        () => parsePasswordHash(hash, 'anna'),
        (error) =>
          error instanceof ViaductError &&
          message.test(error.message) &&
          error.message.includes('"anna"') &&
          (hash === '' || !error.message.includes(hash)),
      );
    });
  }
});

describe('an htpasswd file', () => {
  it('contains users, comments and empty lines', () => {
    const users = parseHtpasswd('# staff\r\nanna:$5$a:b\r\n\n  jörg:x \nanna:y\n', 'users');
    equal(
      JSON.stringify([...users]),
      JSON.stringify([
        ['anna', 'y'],
        ['jörg', 'x'],
      ]),
    );
  });

  it('is refused with the number of the line, and when it cannot be read', () => {
    throws(
      () => parseHtpasswd('a:b\n\nsecret\n', 'users'),
      (error) =>
        error instanceof ViaductError && /"users": line 3/.test(error.message) && !error.message.includes('secret'),
    );
    throws(() => parseHtpasswd(':b\n', 'users'), /line 1/);
    throws(() => readHtpasswd('/nonexistent/users'), /ENOENT/);
    ok(readHtpasswd('/dev/null').size === 0);
  });
});
