import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';

/** The flags of a command line, as `name: values`. */
function given(...argv: string[]): Record<string, unknown[]> {
  const { flags, errors } = readArguments(argv);
  assert.deepEqual(errors, []);
  return Object.fromEntries(flags.map(({ name, values }) => [name, values.map(({ raw }) => raw)]));
}

function errors(...argv: string[]): readonly string[] {
  return readArguments(argv).errors;
}

describe('commands', () => {
  const cases: readonly (readonly [line: string, command: string, target: string | null])[] = [
    ['', 'serve', null],
    ['serve', 'serve', null],
    ['serve site', 'serve', 'site'],
    ['site', 'serve', 'site'],
    ['app:application', 'serve', 'app:application'],
    ['check', 'check', null],
    ['import nginx.conf -o viaduct.toml --force', 'import', null],
    ['import --help', 'help', null],
    ['./import', 'serve', './import'],
    ['check site', 'check', 'site'],
    ['--dev check site', 'check', 'site'],
    ['check --dev site', 'check', 'site'],
    ['check --workers 2 site', 'check', 'site'],
    ['serve check', 'serve', 'check'],
    ['./check', 'serve', './check'],
    ['-- check', 'check', null],
    ['serve -- --odd', 'serve', '--odd'],
    ['help', 'help', null],
    ['help serve', 'help', null],
    ['--help', 'help', null],
    ['-h', 'help', null],
    ['serve site --help', 'help', null],
    ['check -h', 'help', null],
    ['version', 'version', null],
    ['version please now', 'version', null],
    ['--version', 'version', null],
    ['-V', 'version', null],
    ['-v', 'version', null],
    ['--wrong --help', 'help', null],
    ['--workers many --help', 'help', null],
  ];
  for (const [line, command, target] of cases) {
    it(`are ${command} of ${target ?? 'nothing'} when the line is "${line}"`, () => {
      const read = readArguments(line === '' ? [] : line.split(' '));
      assert.equal(read.command, command);
      assert.deepEqual(read.errors, []);
      const word = read.flags.find(({ name }) => name === 'target')?.values[0]?.raw ?? null;
      assert.equal(word, target);
    });
  }
});

describe('--app', () => {
  it('leave all words behind the command of exec to it', () => {
    const read = (line: string) => readArguments(line.split(' '));
    for (const line of ['exec manage.py migrate --json', '--workers 2 exec --chdir /a manage.py migrate --json']) {
      const { command, words, errors } = read(line);
      assert.deepEqual([command, words, errors], ['exec', ['manage.py', 'migrate', '--json'], []], line);
    }
    assert.deepEqual(read('exec --chdir /a -- pytest -- -q').words, ['pytest', '--', '-q']);
    assert.deepEqual(read('exec -- --version').words, ['--version']);
    assert.deepEqual(read('exec').words, []);
    assert.equal(read('exec --version').command, 'version');
    assert.match(read('exec --chidr /a').errors[0] ?? '', /--chidr.*did you mean --chdir/);
    assert.match(read('exec --json true').errors[0] ?? '', /Cannot use --json/);
  });

  it('names the application for scale, wherever it stands', () => {
    for (const argv of [
      ['scale', '3', '--app', 'api'],
      ['--app=api', 'scale', '3'],
    ]) {
      const { command, words, app } = readArguments(argv);
      assert.deepEqual([command, words, app], ['scale', ['3'], 'api']);
    }
    assert.equal(readArguments(['scale', '3']).app, null);
    assert.match(errors('scale', '3', '--app').join(), /--app: it needs a value/);
    assert.match(errors('serve', '--app', 'api').join(), /only the command scale takes it/);
  });
});

describe('flags', () => {
  it('take their value after an equals sign or from the next word', () => {
    assert.deepEqual(given('--workers=2', '--threads', '3'), { workers: ['2'], threads: ['3'] });
  });

  it('take a next word that starts with a dash, which the settings then check', () => {
    assert.deepEqual(given('--workers', '-3'), { workers: ['-3'] });
  });

  it('keep an equals sign in the value', () => {
    assert.deepEqual(given('--static=/s/=a', '--static', '/m/=b'), { static: ['/s/=a', '/m/=b'] });
  });

  it('collect lists and replace all other values', () => {
    assert.deepEqual(given('--listen', '1', '--workers', '1', '--listen', '2', '--workers', '2'), {
      listen: ['1', '2'],
      workers: ['2'],
    });
  });

  it('have the forms --flag, --no-flag and --flag=value when they are boolean', () => {
    assert.deepEqual(given('--dev', '--no-preload'), { dev: [true], preload: [false] });
    assert.deepEqual(given('--dev=off'), { dev: ['off'] });
  });

  it('do not take the next word when they are boolean', () => {
    assert.deepEqual(given('--dev', 'site'), { target: ['site'], dev: [true] });
  });

  it('exist for everything in the usage line', () => {
    const line =
      'site --chdir d --listen 1 --workers 1 --threads 1 --python p --static /s/=d --access-log off --no-preload --config f --dev';
    const names = [
      'accessLog',
      'chdir',
      'config',
      'dev',
      'listen',
      'preload',
      'python',
      'static',
      'target',
      'threads',
      'workers',
    ];
    assert.deepEqual(Object.keys(given(...line.split(' '))).sort(), names);
  });
});

describe('errors on the command line', () => {
  const cases: readonly (readonly [argv: readonly string[], message: string])[] = [
    [['--wrokers', '2'], 'Cannot use --wrokers: there is no such flag; did you mean --workers?'],
    [['--wrokers=2'], 'Cannot use --wrokers: there is no such flag; did you mean --workers?'],
    [['--no-prelod'], 'Cannot use --no-prelod: there is no such flag; did you mean --no-preload?'],
    [['--hlep'], 'Cannot use --hlep: there is no such flag; did you mean --help?'],
    [['--access_log', 'off'], 'Cannot use --access_log: there is no such flag; did you mean --access-log?'],
    [['--bind', '0.0.0.0:80'], 'Cannot use --bind: there is no such flag; did you mean --listen?'],
    [['-b', '0.0.0.0:80'], 'Cannot use -b: there is no such flag; did you mean --listen?'],
    [['-w', '4'], 'Cannot use -w: there is no such flag; did you mean --workers?'],
    [['--reload'], 'Cannot use --reload: there is no such flag; did you mean --dev?'],
    [['-chdir', 'x'], 'Cannot use -chdir: there is no such flag; did you mean --chdir?'],
    [['--target', 'x'], 'Cannot use --target: there is no such flag'],
    [['--no-workers'], 'Cannot use --no-workers: there is no such flag; did you mean --workers?'],
    [['--colour'], 'Cannot use --colour: there is no such flag'],
    [['--workers'], 'Cannot use --workers: it needs a value: a whole number from 1 to 256'],
    [['--workers='], 'Cannot use --workers: it needs a value: a whole number from 1 to 256'],
    [['--config', ''], 'Cannot use --config: it needs a value: the path of a file'],
    [['--no-dev=no'], 'Cannot use --no-dev "no": it takes no value'],
    [['site', 'other'], 'Cannot serve "other" as well: name one PATH or MODULE:CALLABLE'],
    [['chekc', 'site'], 'Cannot use "chekc": there is no such command; did you mean check?'],
  ];
  for (const [argv, message] of cases) {
    it(`are reported when the line is "${argv.join(' ')}"`, () => assert.deepEqual(errors(...argv), [message]));
  }

  const meant: readonly (readonly [line: string, command: string | null])[] = [
    ['chekc', 'check'],
    ['srve', 'serve'],
    ['run', 'serve'],
    ['start', 'serve'],
    ['hlep', 'help'],
    ['site', null],
    ['app:application', null],
    ['serve chekc', null],
    ['', null],
  ];
  for (const [line, command] of meant) {
    it(`suggest ${command} for "${line}" only if no application has this name`, () => {
      const read = readArguments(line === '' ? [] : line.split(' '));
      assert.equal(read.meant, command);
      assert.deepEqual([read.command, read.errors], ['serve', []]);
    });
  }

  it('are all reported', () => {
    assert.equal(errors('--one', '--two=2', '--three', '3', '--workers').length, 4);
  });

  it('do not take the word after an unknown flag as the project', () => {
    assert.equal(errors('--wrokers', '2', 'site').length, 1);
  });
});
