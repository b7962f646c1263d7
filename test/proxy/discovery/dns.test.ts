import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Backend, backendName } from '../../../src/proxy/backend.ts';
import type { Discovery } from '../../../src/proxy/discovery/discovery.ts';
import { dnsDiscovery } from '../../../src/proxy/discovery/dns.ts';
import { srvDiscovery } from '../../../src/proxy/discovery/srv.ts';
import { freePort, missing, type Program, startProgram } from '../../support/peer.ts';
import { eventually } from '../../support/socket-client.ts';

const NO_DNSMASQ = missing('dnsmasq');

interface Dns {
  readonly server: string;
  /** Starts it, or starts it anew with other records. */
  run(...records: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** dnsmasq on a port of its own, which knows nothing but what it is told. */
async function dns(t: TestContext): Promise<Dns> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-dns-'));
  writeFileSync(join(directory, 'empty.conf'), '');
  let program: Program | null = null;
  const stop = async (): Promise<void> => {
    await program?.stop();
    program = null;
  };
  t.after(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    server: `127.0.0.1:${port}`,
    stop,
    async run(...records) {
      await stop();
      const own = [
        '--keep-in-foreground',
        '--no-resolv',
        '--no-hosts',
        '--bind-interfaces',
        '--listen-address=127.0.0.1',
      ];
      const place = [
        `--port=${port}`,
        `--conf-file=${join(directory, 'empty.conf')}`,
        '--pid-file=',
        '--local=/test/',
        '--user=root',
      ];
      const started = startProgram('dnsmasq', [...own, ...place, '--log-facility=-', ...records]);
      program = started;
      await eventually('dnsmasq runs', () => /started, version/.test(started.output()));
    },
  };
}

const backendAt = (host: string, port: number): Backend => ({ host, port });

/** Starts it; returns what it has found last, as text, and what went wrong. */
function follow(t: TestContext, make: (onError: (message: string) => void) => Discovery) {
  const errors: string[] = [];
  const found: string[] = [];
  const discovery = make((message) => errors.push(message));
  discovery.start((backends) => {
    found.push(
      backends
        .map(
          (backend) =>
            `${backendName(backend)}${backend.weight === undefined ? '' : ` ${backend.weight}`}${backend.backup === true ? ' backup' : ''}`,
        )
        .join(', '),
    );
  });
  t.after(() => discovery.stop());
  return { errors, found, last: () => found.at(-1) };
}

describe('backends that DNS knows', { skip: NO_DNSMASQ, concurrency: 4 }, () => {
  const bounds = { minMs: 50, maxMs: 200 };

  it('are all addresses of a name, and follow when they change', async (t) => {
    const { server, run } = await dns(t);
    await run('--host-record=app.test,10.0.0.2,2001:db8::5,60', '--host-record=app.test,10.0.0.1,60');
    const { last, found } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 8000, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually(
      'they are found',
      () => last() === 'http://10.0.0.1:8000, http://10.0.0.2:8000, http://[2001:db8:0:0:0:0:0:5]:8000',
    );
    await run('--host-record=app.test,10.0.0.3,60');
    await eventually('the change is found', () => last() === 'http://10.0.0.3:8000');
    assert.equal(found.length, 2);
  });

  it('are found by way of another name', async (t) => {
    const { server, run } = await dns(t);
    await run('--cname=app.test,real.test', '--host-record=real.test,10.0.0.9');
    const { last } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 1, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually('it is found', () => last() === 'http://10.0.0.9:1');
  });

  it('go on while the server cannot be asked, which is told once, and go when it says three times that there are none', async (t) => {
    const { server, run, stop } = await dns(t);
    await run('--host-record=app.test,10.0.0.1');
    const { last, errors, found } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 80, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually('it is found', () => last() === 'http://10.0.0.1');
    await stop();
    await eventually('it is told', () => errors.length > 0);
    assert.match(errors[0] ?? '', /^Cannot look up "app\.test": /);
    assert.deepEqual(found, ['http://10.0.0.1']);
    await run();
    await eventually('they are gone', () => last() === '');
    assert.equal(errors.length, 1);
  });

  it('have ports, weights and priorities when they are found by SRV', async (t) => {
    const { server, run } = await dns(t);
    const hosts = ['--host-record=a.test,10.0.0.1', '--host-record=b.test,10.0.0.2', '--host-record=c.test,10.0.0.3'];
    await run(
      ...hosts,
      '--srv-host=_http._tcp.app.test,a.test,8001,1,10',
      '--srv-host=_http._tcp.app.test,b.test,8002,1,0',
      '--srv-host=_http._tcp.app.test,c.test,8003,5,500',
    );
    const { last } = follow(t, (onError) =>
      srvDiscovery({ name: '_http._tcp.app.test', servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually(
      'they are found',
      () => last() === 'http://10.0.0.1:8001 2, http://10.0.0.2:8002 1, http://10.0.0.3:8003 100 backup',
    );
    await run(...hosts, '--srv-host=_http._tcp.app.test,b.test,9000,1,7');
    await eventually('the change is found', () => last() === 'http://10.0.0.2:9000 7');
  });

  it('are those of the file of hosts where no server is named and DNS does not know them', async (t) => {
    const { last } = follow(t, (onError) =>
      dnsDiscovery({ host: 'localhost', port: 80, servers: null, backendAt, onError, ...bounds }),
    );
    await eventually('it is found', () => /http:\/\/(127\.0\.0\.1|\[::1\])/.test(last() ?? ''));
  });
});
