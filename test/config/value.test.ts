import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Setting } from '../../src/config/setting.ts';
import { formatBytes, formatDuration } from '../../src/config/units.ts';
import { formatValue, parseValue } from '../../src/config/value.ts';

const COMMON = { help: '', reason: '', group: 'how' } as const;
const BASE = '/base';

const SETTINGS = {
  integer: { ...COMMON, kind: 'integer', default: 1, min: 1, max: 64 },
  bytes: { ...COMMON, kind: 'bytes', default: 1, min: 64, max: 1024 ** 3 },
  duration: { ...COMMON, kind: 'duration', default: 1, min: 50, max: 3_600_000 },
  boolean: { ...COMMON, kind: 'boolean', default: false },
  choice: { ...COMMON, kind: 'choice', default: 'off', choices: ['off', 'text', 'json'] },
  directory: { ...COMMON, kind: 'path', default: null, means: 'directory', shows: 'DIR' },
  file: { ...COMMON, kind: 'path', default: null, means: 'file', shows: 'FILE' },
  name: { ...COMMON, kind: 'name', default: null, shows: 'NAME' },
  command: { ...COMMON, kind: 'command', default: null, shows: 'COMMAND' },
  address: { ...COMMON, kind: 'list', default: [], item: 'address', itemsMin: 1, shows: 'ADDRESS' },
  mount: { ...COMMON, kind: 'list', default: [], item: 'mount', itemsMin: 0, shows: '/url/=DIR' },
} as const satisfies Record<string, Setting>;

type Kind = keyof typeof SETTINGS;

/** Values as text or TOML, and the parsed values. */
const GOOD: Readonly<Record<Kind, readonly (readonly [raw: unknown, value: unknown])[]>> = {
  integer: [
    ['1', 1],
    ['64', 64],
    ['+7', 7],
    ['007', 7],
    [1, 1],
    [64, 64],
  ],
  bytes: [
    ['64', 64],
    [64, 64],
    [1024 ** 3, 1024 ** 3],
    ['64b', 64],
    ['1k', 1024],
    ['1kB', 1000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['2M', 2 * 1024 ** 2],
    ['2MB', 2_000_000],
    ['2 MiB', 2 * 1024 ** 2],
    ['1G', 1024 ** 3],
    ['1GB', 1_000_000_000],
    ['1GiB', 1024 ** 3],
    ['1.5KiB', 1536],
  ],
  duration: [
    ['50', 50],
    [50, 50],
    ['500ms', 500],
    ['30s', 30_000],
    ['0.25s', 250],
    ['1.5 s', 1500],
    ['2m', 120_000],
    ['2min', 120_000],
    ['1h', 3_600_000],
  ],
  boolean: [
    [true, true],
    [false, false],
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['yes', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['off', false],
  ],
  choice: [
    ['off', 'off'],
    ['json', 'json'],
  ],
  directory: [
    ['/', '/'],
    ['../tmp', '/tmp'],
  ],
  file: [
    ['a', '/base/a'],
    ['../a/./b', '/a/b'],
    ['/no/such/file', '/no/such/file'],
  ],
  name: [
    ['www-data', 'www-data'],
    ['_www', '_www'],
    ['j.doe@example.org', 'j.doe@example.org'],
    ['1000', '1000'],
    [1000, '1000'],
  ],
  command: [
    ['ddtrace-run', 'ddtrace-run'],
    ['newrelic-admin run-program', 'newrelic-admin run-program'],
    ['"/opt/my agent/run" --name="a b"', '"/opt/my agent/run" --name="a b"'],
  ],
  address: [
    ['8000', '8000'],
    [8000, '8000'],
    ['0', '0'],
    ['65535', '65535'],
    ['localhost:8000', 'localhost:8000'],
    [':8000', ':8000'],
    ['0.0.0.0:80', '0.0.0.0:80'],
    ['[::1]:8000', '[::1]:8000'],
    ['[fe80::1%eth0]:8000', '[fe80::1%eth0]:8000'],
    ['unix:/run/v.sock', 'unix:/run/v.sock'],
    ['unix:v.sock', 'unix:/base/v.sock'],
    [`unix:/${'a'.repeat(102)}`, `unix:/${'a'.repeat(102)}`],
    ['fd:3', 'fd:3'],
    ['systemd', 'systemd'],
    ['systemd:web.socket', 'systemd:web.socket'],
  ],
  mount: [
    ['/=a', { urlPrefix: '/', directories: ['/base/a'] }],
    ['/s/=a', { urlPrefix: '/s/', directories: ['/base/a'] }],
    ['/s=/a', { urlPrefix: '/s/', directories: ['/a'] }],
    ['/s/v1/=a=b', { urlPrefix: '/s/v1/', directories: ['/base/a=b'] }],
    [['/a=b/', 'c'], { urlPrefix: '/a=b/', directories: ['/base/c'] }],
    ['/.well-known/=a', { urlPrefix: '/.well-known/', directories: ['/base/a'] }],
  ],
};

const NO_TEXT: readonly unknown[] = ['', ' ', 'a\0b', null, {}, [], [['x']], new Date(0)];

const BAD: Readonly<Record<Kind, readonly unknown[]>> = {
  integer: [
    '0',
    '65',
    '-3',
    '1.0',
    '1e1',
    '0x10',
    'many',
    '1_000',
    0,
    65,
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
  ],
  bytes: ['63', 63, '2GiB', '-1k', '1 k b', '1kk', '1 TiB', 'k', '1,5k', 100.5, true, `${'9'.repeat(400)}`],
  duration: ['49', 49, '61min', '2h', '-1s', '30 sec', '1d', 'forever', 60.5, true],
  boolean: ['maybe', '2', 'yess', 0, 1, 2],
  choice: ['OFF', 'xml', 'off ', true, false, 0],
  directory: ['/no/such/directory', '/etc/passwd', 5, true],
  file: [5, true],
  command: ['run "a', "run 'a", 'run a\\', '""', 5, true, ['run']],
  name: ['-u', 'a b', 'a:b', 'a/b', '4294967295', 1.5, true],
  address: [
    'systemd:',
    'systemd:a:b',
    'here:there',
    '127.0.0.1',
    '65536',
    '127.0.0.1:70000',
    '::1:8000',
    '[::1]',
    '[::1]8000',
    'a b:80',
    'unix:',
    `unix:/${'a'.repeat(107)}`,
    `unix:${'a'.repeat(103)}`,
    `unix:/${'ä'.repeat(60)}`,
    'fd:',
    'fd:-1',
    'fd:x',
    'ftp://localhost:8000',
    '-1',
    '8000 ',
    1.5,
    -1,
    70_000,
    true,
  ],
  mount: [
    'no-equals',
    '=a',
    '/s/=',
    's/=a',
    '/a//b/=c',
    '/a/../b/=c',
    '/./=c',
    '/..=c',
    '/s?x/=c',
    '/s#x/=c',
    '/s t/=c',
    ['/s/', 5],
    ['/s/', ''],
    ['s/', 'a'],
    ['/s/', ['a', 'b']],
    5,
    true,
  ],
};

for (const kind of Object.keys(SETTINGS) as Kind[]) {
  describe(`a setting of the kind ${kind}`, () => {
    for (const [raw, value] of GOOD[kind]) {
      it(`is ${JSON.stringify(value)} for ${JSON.stringify(raw)}`, () => {
        assert.deepEqual(parseValue(SETTINGS[kind], raw, BASE), { value });
      });
    }
    for (const raw of [...NO_TEXT, ...BAD[kind]]) {
      it(`refuses ${typeof raw} ${String(JSON.stringify(raw)).slice(0, 40)}`, () => {
        const parsed = parseValue(SETTINGS[kind], raw, BASE);
        assert.ok('problem' in parsed, JSON.stringify(parsed));
        assert.match(parsed.problem, /^(must be|has|does|is) ./);
      });
    }
  });
}

describe('formatted values', () => {
  for (const [bytes, text] of [
    [0, '0'],
    [100, '100'],
    [1000, '1000'],
    [65_536, '64KiB'],
    [1536, '1536'],
    [1024 ** 2, '1MiB'],
    [1024 ** 4, '1024GiB'],
  ] as const) {
    it(`are ${text} for ${bytes} bytes, and can be read back`, () => {
      assert.equal(formatBytes(bytes), text);
      const setting: Setting = { ...SETTINGS.bytes, min: 0, max: 2 ** 50 };
      assert.deepEqual(parseValue(setting, text, BASE), { value: bytes });
    });
  }

  for (const [ms, text] of [
    [0, '0s'],
    [500, '500ms'],
    [1500, '1500ms'],
    [75_000, '75s'],
    [7_200_000, '2h'],
  ] as const) {
    it(`are ${text} for ${ms} ms, and can be read back`, () => {
      assert.equal(formatDuration(ms), text);
      const setting: Setting = { ...SETTINGS.duration, min: 0, max: 2 ** 50 };
      assert.deepEqual(parseValue(setting, text, BASE), { value: ms });
    });
  }

  it('are /url/=DIR for mounts', () => {
    const mounts = [
      { urlPrefix: '/s/', directories: ['/a', '/b'] },
      { urlPrefix: '/m/', directories: ['/c'] },
    ];
    assert.equal(formatValue(SETTINGS.mount, mounts), '/s/=/a, /s/=/b, /m/=/c');
  });
});
