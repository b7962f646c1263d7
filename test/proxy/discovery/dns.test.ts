import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Backend, backendName } from '../../../src/proxy/backend.ts';
import type { Discovery } from '../../../src/proxy/discovery/discovery.ts';
import { dnsDiscovery } from '../../../src/proxy/discovery/dns.ts';
import { srvDiscovery } from '../../../src/proxy/discovery/srv.ts';
import { freePort, missing, type Peer, startPeer } from '../../support/peer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { eventually } from '../../support/wait.ts';

const NO_DNSMASQ = missing('dnsmasq');

interface Dns {
  readonly server: string;
  /** Starts the server, or restarts it with other records. */
  run(...records: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** dnsmasq on a free port, which knows only the given records. */
async function dns(t: TestContext): Promise<Dns> {
  const port = await freePort();
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'empty.conf'), '');
  let program: Peer | null = null;
  const stop = async (): Promise<void> => {
    await program?.stop();
    program = null;
  };
  return {
    server: `127.0.0.1:${port}`,
    stop,
    async run(...records) {
      await stop();
      const isolation = [
        '--keep-in-foreground',
        '--no-resolv',
        '--no-hosts',
        '--bind-interfaces',
        '--listen-address=127.0.0.1',
      ];
      const listening = [
        `--port=${port}`,
        `--conf-file=${join(directory, 'empty.conf')}`,
        '--pid-file=',
        '--local=/test/',
        '--user=root',
      ];
      program = await startPeer(t, 'dnsmasq', [...isolation, ...listening, '--log-facility=-', ...records], {
        ready: ({ output }) => /started, version/.test(output()),
      });
    },
  };
}

const backendAt = (host: string, port: number): Backend => ({ host, port });

/** Starts a discovery; returns its results as text and its errors. */
function follow(t: TestContext, make: (onError: (message: string) => void) => Discovery) {
  const errors: string[] = [];
  const results: string[] = [];
  const discovery = make((message) => errors.push(message));
  discovery.start((backends) => {
    results.push(
      backends
        .map(
          (backend) =>
            `${backendName(backend)}${backend.weight === undefined ? '' : ` ${backend.weight}`}${backend.backup === true ? ' backup' : ''}`,
        )
        .join(', '),
    );
  });
  t.after(() => discovery.stop());
  return { errors, results, last: () => results.at(-1) };
}

describe('DNS discovery', { skip: NO_DNSMASQ, concurrency: 4 }, () => {
  const bounds = { minMs: 50, maxMs: 200 };

  it('finds all addresses of a name, and follows their changes', async (t) => {
    const { server, run } = await dns(t);
    await run('--host-record=app.test,10.0.0.2,2001:db8::5,60', '--host-record=app.test,10.0.0.1,60');
    const { last, results } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 8000, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually(
      'the backends are found',
      () => last() === 'http://10.0.0.1:8000, http://10.0.0.2:8000, http://[2001:db8:0:0:0:0:0:5]:8000',
    );
    await run('--host-record=app.test,10.0.0.3,60');
    await eventually('the change is found', () => last() === 'http://10.0.0.3:8000');
    assert.equal(results.length, 2);
  });

  it('finds the addresses of an alias', async (t) => {
    const { server, run } = await dns(t);
    await run('--cname=app.test,real.test', '--host-record=real.test,10.0.0.9');
    const { last } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 1, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually('the address is found', () => last() === 'http://10.0.0.9:1');
  });

  it('keeps the backends and reports one error when the server fails, and removes them after three empty answers', async (t) => {
    const { server, run, stop } = await dns(t);
    await run('--host-record=app.test,10.0.0.1');
    const { last, errors, results } = follow(t, (onError) =>
      dnsDiscovery({ host: 'app.test', port: 80, servers: [server], backendAt, onError, ...bounds }),
    );
    await eventually('the address is found', () => last() === 'http://10.0.0.1');
    await stop();
    await eventually('the error is reported', () => errors.length > 0);
    assert.match(errors[0] ?? '', /^Cannot look up "app\.test": /);
    assert.deepEqual(results, ['http://10.0.0.1']);
    await run();
    await eventually('the backends are removed', () => last() === '');
    assert.equal(errors.length, 1);
  });

  it('finds ports, weights and priorities in SRV records', async (t) => {
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
      'the backends are found',
      () => last() === 'http://10.0.0.1:8001 2, http://10.0.0.2:8002 1, http://10.0.0.3:8003 100 backup',
    );
    await run(...hosts, '--srv-host=_http._tcp.app.test,b.test,9000,1,7');
    await eventually('the change is found', () => last() === 'http://10.0.0.2:9000 7');
  });

  it('uses the hosts file when no server is configured and DNS does not know the name', async (t) => {
    const { last } = follow(t, (onError) =>
      dnsDiscovery({ host: 'localhost', port: 80, servers: null, backendAt, onError, ...bounds }),
    );
    await eventually('the addresses are found', () => /http:\/\/(127\.0\.0\.1|\[::1\])/.test(last() ?? ''));
  });
});
