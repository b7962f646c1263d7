import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from './project.ts';

describe('settings from their sources', { concurrency: true }, () => {
  it('are the defaults without any source', async (t) => {
    const { settings, origins } = await load(t, {});
    assert.deepEqual(settings.listen, ['127.0.0.1:8000']);
    assert.deepEqual(settings.static, []);
    assert.equal(settings.threads, 4);
    assert.equal(settings.target, null);
    assert.equal(settings.dev, false);
    assert.equal(origins.size, 0);
  });

  it('come from flags over variables over viaduct.toml over pyproject.toml', async (t) => {
    const pyproject = '[tool.viaduct]\nthreads = 11\nworkers = 12\nqueue_max = 13\nheader_count_max = 14\n';
    const { settings, origins } = await load(t, {
      files: { 'pyproject.toml': pyproject, 'viaduct.toml': 'threads = 21\nworkers = 22\nqueue_max = 23\n' },
      env: { VIADUCT_THREADS: '31', VIADUCT_WORKERS: '32' },
      args: ['--threads', '41'],
    });
    const { threads, workers, queueMax, headerCountMax } = settings;
    assert.deepEqual([threads, workers, queueMax, headerCountMax], [41, 32, 23, 14]);
    assert.deepEqual(
      [...origins].sort(),
      [
        ['headerCountMax', 'pyproject.toml:5'],
        ['queueMax', 'viaduct.toml:3'],
        ['threads', '--threads'],
        ['workers', 'VIADUCT_WORKERS'],
      ].sort(),
    );
  });

  it('ignore a pyproject.toml without [tool.viaduct], even with similar keys', async (t) => {
    const { origins } = await load(t, {
      files: { 'pyproject.toml': '[project]\nname = "x"\n[tool.black]\nworkers = -1\n' },
    });
    assert.equal(origins.size, 0);
  });

  it('ignore empty variables and other programs’ variables', async (t) => {
    const { origins } = await load(t, { env: { VIADUCT_WORKERS: '', VIADUCTS: '1', WORKERS: '2' } });
    assert.equal(origins.size, 0);
  });

  it('ignore the variables that Kubernetes sets for a service named viaduct', async (t) => {
    const env = {
      VIADUCT_SERVICE_HOST: '10.0.0.1',
      VIADUCT_SERVICE_PORT: '80',
      VIADUCT_SERVICE_PORT_HTTP: '80',
      VIADUCT_PORT: 'tcp://10.0.0.1:80',
      VIADUCT_PORT_80_TCP: 'tcp://10.0.0.1:80',
      VIADUCT_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    assert.equal((await load(t, { env })).origins.size, 0);
  });

  it('come from the variables of platforms if no other source has them', async (t) => {
    const env = { PORT: '5000', WEB_CONCURRENCY: '3', FORWARDED_ALLOW_IPS: '10.0.0.7, *' };
    const { settings, origins } = await load(t, { env });
    assert.deepEqual([settings.listen, settings.workers], [['0.0.0.0:5000'], 3]);
    assert.deepEqual(settings.trustedProxies, ['10.0.0.7', 'all']);
    assert.equal(origins.get('listen'), 'PORT');
    const files = { 'viaduct.toml': 'listen = [8001]\nworkers = 2\ntrusted_proxies = []\n' };
    const written = (await load(t, { env, files })).settings;
    assert.deepEqual([written.listen, written.workers, written.trustedProxies], [['8001'], 2, []]);
    assert.deepEqual((await load(t, { env, args: ['--dev'] })).settings.listen, ['127.0.0.1:5000']);
    await assert.rejects(load(t, { env: { PORT: 'many' } }), /Cannot use PORT="many": it must be 8000, HOST:PORT/);
    assert.equal((await load(t, { env: { PORT: 'many' }, args: ['--listen', '8001'] })).origins.size, 1);
  });

  it('are the last ones when a flag is given twice', async (t) => {
    assert.equal((await load(t, { args: ['--threads', '2', '--threads=3'] })).settings.threads, 3);
    assert.equal((await load(t, { args: ['--dev', '--no-dev'] })).settings.dev, false);
  });

  it('can be switched off by flags when a file switches them on', async (t) => {
    const { settings } = await load(t, {
      files: { 'viaduct.toml': 'dev = true\npreload = true\n' },
      args: ['--no-dev', '--no-preload'],
    });
    assert.deepEqual([settings.dev, settings.preload], [false, false]);
  });
});

describe('the number of workers', { concurrency: true }, () => {
  const WRITTEN: Readonly<Record<string, string>> = {
    'viaduct.toml': 'workers = { min = 2, max = 6 }\n',
    'pyproject.toml': '[tool.viaduct.workers]\nmin = 2\nmax = 6\n',
    'viaduct.config.ts': 'export default { workers: { min: 2, max: 6 } };\n',
  };
  for (const [file, text] of Object.entries(WRITTEN))
    it(`is a minimum and a maximum in ${file}`, async (t) => {
      const { settings, origins } = await load(t, { files: { [file]: text } });
      assert.deepEqual([settings.workersMin, settings.workers], [2, 6]);
      assert.match(origins.get('workersMin') ?? '', new RegExp(`^${file.replaceAll('.', '\\.')}`));
    });

  it('may have a maximum from a flag that is less than the minimum of a file', async (t) => {
    const files = { 'viaduct.toml': 'workers = { min = 2, max = 6 }\n' };
    assert.equal((await load(t, { files, args: ['--workers', '1'] })).settings.workers, 1);
  });

  it('has ends that flags and variables change one by one', async (t) => {
    const files = { 'viaduct.toml': 'workers = { min = 2, max = 6 }\n' };
    const { settings } = await load(t, { files, args: ['--workers', '9'], env: { VIADUCT_WORKERS_MIN: '3' } });
    assert.deepEqual([settings.workersMin, settings.workers], [3, 9]);
  });

  it('has no minimum when only the maximum is given', async (t) => {
    const { settings } = await load(t, { files: { 'viaduct.toml': 'workers = { max = 6 }\n' } });
    assert.deepEqual([settings.workersMin, settings.workers], [0, 6]);
  });
});

describe('lists of settings', { concurrency: true }, () => {
  it('are collected from several flags, and replace the list of a weaker source', async (t) => {
    const { settings } = await load(t, {
      files: { 'viaduct.toml': 'listen = ["1001", "1002", "1003"]\n' },
      args: ['--listen', '2001', '--listen=[::1]:2002'],
    });
    assert.deepEqual(settings.listen, ['2001', '[::1]:2002']);
  });

  it('are separated by commas in variables', async (t) => {
    const { settings } = await load(t, { env: { VIADUCT_LISTEN: '8000, localhost:8001' } });
    assert.deepEqual(settings.listen, ['8000', 'localhost:8001']);
  });

  it('are arrays in files, or the item itself for one item', async (t) => {
    const several = await load(t, { files: { 'viaduct.toml': 'listen = [8000, "fd:3"]\n' } });
    assert.deepEqual(several.settings.listen, ['8000', 'fd:3']);
    const single = await load(t, { files: { 'viaduct.toml': 'listen = 8000\n' } });
    assert.deepEqual(single.settings.listen, ['8000']);
  });

  it('can be empty if the setting allows it', async (t) => {
    const files = { 'pyproject.toml': '[tool.viaduct]\nstatic = ["/a/=a"]\n', 'viaduct.toml': 'static = []\n' };
    assert.deepEqual((await load(t, { files })).settings.static, []);
  });

  it('are mounts in an array, a table or an inline table, and merge mounts of the same URL in order', async (t) => {
    const forms = [
      'static = ["/s/=one", "/m=media", "/s=two"]\n',
      '[static]\n"/s/" = "one"\n"/m" = "media"\n"/s" = "two"\n',
      'static = { "/s/" = "one", "/m" = "media", "/s" = "two" }\n',
    ];
    for (const toml of forms) {
      const { settings, cwd } = await load(t, { files: { 'viaduct.toml': toml } });
      assert.deepEqual(settings.static, [
        { urlPrefix: '/s/', directories: [join(cwd, 'one'), join(cwd, 'two')] },
        { urlPrefix: '/m/', directories: [join(cwd, 'media')] },
      ]);
    }
  });
});

describe('paths in settings', { concurrency: true }, () => {
  it('start at the current directory in flags and variables', async (t) => {
    const { settings, cwd } = await load(t, {
      env: { VIADUCT_PYTHON: '.venv' },
      args: ['--static', '/s/=assets', '--listen', 'unix:run/v.sock'],
    });
    assert.equal(settings.python, join(cwd, '.venv'));
    assert.deepEqual(settings.static, [{ urlPrefix: '/s/', directories: [join(cwd, 'assets')] }]);
    assert.deepEqual(settings.listen, [`unix:${join(cwd, 'run/v.sock')}`]);
  });

  it('start at chdir in flags and variables when it is set', async (t) => {
    const { settings, cwd } = await load(t, {
      files: { 'site/app.py': '' },
      env: { VIADUCT_PYTHON: '../.venv' },
      args: ['app.py', '--chdir', 'site'],
    });
    assert.equal(settings.chdir, join(cwd, 'site'));
    assert.equal(settings.python, join(cwd, '.venv'));
    assert.equal(settings.target, join(cwd, 'site/app.py'));
  });

  it('start at the directory of the file in files', async (t) => {
    const { settings, cwd } = await load(t, {
      files: {
        'etc/my.toml': 'chdir = "../site"\npython = "venv"\nstatic = ["/s/=s"]\nlisten = "unix:v.sock"\n',
        'site/': '',
      },
      args: ['--config', 'etc/my.toml'],
    });
    assert.equal(settings.chdir, join(cwd, 'site'));
    assert.equal(settings.python, join(cwd, 'etc/venv'));
    assert.deepEqual(settings.static, [{ urlPrefix: '/s/', directories: [join(cwd, 'etc/s')] }]);
    assert.deepEqual(settings.listen, [`unix:${join(cwd, 'etc/v.sock')}`]);
  });

  it('stay unchanged when they are absolute', async (t) => {
    assert.equal((await load(t, { args: ['--python', '/usr/bin/python3'] })).settings.python, '/usr/bin/python3');
  });

  it('keep an equals sign, a comma or a space in the name of a directory', async (t) => {
    const { settings, cwd } = await load(t, { args: ['--static', '/s/=a=b, c'] });
    assert.deepEqual(settings.static[0]?.directories, [join(cwd, 'a=b, c')]);
  });
});

describe('settings files', { concurrency: true }, () => {
  it('are found in the project that the target names', async (t) => {
    for (const target of ['site', 'site/app.py', './site/']) {
      const { settings } = await load(t, {
        files: { 'site/app.py': '', 'site/viaduct.toml': 'threads = 9\n' },
        args: [target],
      });
      assert.equal(settings.threads, 9, target);
    }
  });

  it('are found in the current directory when the project has none', async (t) => {
    const { settings } = await load(t, {
      files: { 'site/app.py': '', 'viaduct.toml': 'threads = 9\n' },
      args: ['serve', 'site'],
    });
    assert.equal(settings.threads, 9);
  });

  it('are those of the project even when the current directory has some', async (t) => {
    const files = { 'site/viaduct.toml': 'threads = 9\n', 'viaduct.toml': 'threads = 8\nworkers = 7\n' };
    const { settings, origins } = await load(t, { files, args: ['site'] });
    assert.equal(settings.threads, 9);
    assert.equal(origins.has('workers'), false);
  });

  it('are found in chdir', async (t) => {
    const files = { 'site/viaduct.toml': 'threads = 9\n' };
    assert.equal((await load(t, { files, args: ['app:application', '--chdir', 'site'] })).settings.threads, 9);
    assert.equal((await load(t, { files, env: { VIADUCT_CHDIR: 'site' } })).settings.threads, 9);
  });

  it('are replaced by the file of --config, but pyproject.toml still counts', async (t) => {
    const files = {
      'viaduct.toml': 'threads = 1\n',
      'other.toml': 'threads = 2\n',
      'pyproject.toml': '[tool.viaduct]\nthreads = 3\nworkers = 4\n',
    };
    for (const sources of [{ args: ['--config', 'other.toml'] }, { env: { VIADUCT_CONFIG: 'other.toml' } }]) {
      const { settings } = await load(t, { files, ...sources });
      assert.deepEqual([settings.threads, settings.workers], [2, 4]);
    }
  });

  it('can be a pyproject.toml that --config names', async (t) => {
    const files = { 'deploy/pyproject.toml': '[tool.viaduct]\nthreads = 3\n' };
    assert.equal((await load(t, { files, args: ['--config', 'deploy/pyproject.toml'] })).settings.threads, 3);
  });

  it('can start with a byte order mark and have Windows line endings', async (t) => {
    assert.equal(
      (await load(t, { files: { 'viaduct.toml': '\ufeffthreads = 3\r\nworkers = 2\r\n' } })).settings.threads,
      3,
    );
  });
});

describe('the target', { concurrency: true }, () => {
  const cases: readonly (readonly [text: string, target: string])[] = [
    ['app:application', 'app:application'],
    ['shop.wsgi:create_app()', 'shop.wsgi:create_app()'],
    ['shop.wsgi', 'shop.wsgi'],
    ['.', '<cwd>'],
    ['site', '<cwd>/site'],
    ['./nowhere', '<cwd>/nowhere'],
    ['serve', 'serve'],
  ];
  for (const [text, target] of cases) {
    it(`is ${target} for ${text}`, async (t) => {
      const { settings, cwd } = await load(t, { files: { 'site/': '' }, args: ['serve', text] });
      assert.equal(settings.target, target.replace('<cwd>', cwd));
    });
  }

  it('can come from a file or a variable', async (t) => {
    const files = { 'viaduct.toml': 'target = "app:application"\n' };
    assert.equal((await load(t, { files })).settings.target, 'app:application');
    assert.equal((await load(t, { files, env: { VIADUCT_TARGET: 'other:app' } })).settings.target, 'other:app');
    assert.equal(
      (await load(t, { files, env: { VIADUCT_TARGET: 'other:app' }, args: ['third:app'] })).settings.target,
      'third:app',
    );
  });
});
