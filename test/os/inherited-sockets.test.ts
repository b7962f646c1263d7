import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress } from '../../src/listen/address.ts';
import { resolveListen, takeInheritedSockets } from '../../src/os/inherited-sockets.ts';
import { readConfiguration } from '../../src/site/load-configuration.ts';

describe('the sockets that systemd passes', () => {
  it('are numbered from 3 and have the names of their units, and the variables are removed', () => {
    const environment = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin', PATH: '/bin' };
    deepEqual(takeInheritedSockets(environment, 7), [
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
    ]);
    deepEqual(environment, { PATH: '/bin' });
  });

  it('are called unknown when they have no name, as sd_listen_fds_with_names(3) says', () => {
    deepEqual(takeInheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7), [{ fd: 3, name: 'unknown' }]);
  });

  for (const [when, environment] of [
    ['they are for another process', { LISTEN_PID: '8', LISTEN_FDS: '1' }],
    ['no process is named', { LISTEN_FDS: '1' }],
    ['the number is 0', { LISTEN_PID: '7', LISTEN_FDS: '0' }],
    ['the number is invalid', { LISTEN_PID: '7', LISTEN_FDS: 'many' }],
    ['the number is too large', { LISTEN_PID: '7', LISTEN_FDS: '1000000000' }],
  ] as const) {
    it(`are ignored when ${when}, and the variables are removed`, () => {
      const variables: NodeJS.ProcessEnv = { ...environment };
      deepEqual(takeInheritedSockets(variables, 7), []);
      deepEqual(variables, {});
    });
  }

  const sockets = [
    { fd: 3, name: 'web' },
    { fd: 4, name: 'admin' },
    { fd: 5, name: 'web' },
  ];

  it('replace the default addresses, but not configured ones', () => {
    deepEqual(resolveListen(['127.0.0.1:8000'], true, sockets), ['fd:3', 'fd:4', 'fd:5']);
    const listen = ['127.0.0.1:8000'];
    equal(resolveListen(listen, false, sockets), listen);
    equal(resolveListen(listen, true, []), listen);
  });

  it('are found by name, beside other addresses', () => {
    deepEqual(resolveListen(['8000', 'systemd:web'], false, sockets), ['8000', 'fd:3', 'fd:5']);
    deepEqual(resolveListen(['systemd'], false, sockets), ['fd:3', 'fd:4', 'fd:5']);
  });

  for (const [address, expected] of [
    ['https://systemd:admin', { kind: 'fd', fd: 4, secure: true }],
    ['http://systemd:admin', { kind: 'fd', fd: 4 }],
    ['systemd:admin?proxy_protocol=on', { kind: 'fd', fd: 4, proxyProtocol: true }],
    ['https://systemd:admin?proxy_protocol=on', { kind: 'fd', fd: 4, secure: true, proxyProtocol: true }],
    ...(['uwsgi', 'fastcgi', 'scgi'] as const).map(
      (protocol) => [`${protocol}://systemd:admin`, { kind: 'fd', fd: 4, protocol }] as const,
    ),
  ] as const) {
    it(`keep the scheme and the options of their address, which the configuration allows: ${address}`, async () => {
      const { settings } = await readConfiguration({ listen: address }, '/');
      deepEqual(resolveListen(settings.listen, false, sockets).map(parseAddress), [expected]);
      deepEqual(resolveListen([address.replace(':admin', '')], false, sockets).length, 3);
    });
  }

  it('cause an error with a reason when they are missing', () => {
    throws(
      () => resolveListen(['systemd:x'], false, sockets),
      /Cannot listen on "systemd:x": systemd passed only web, admin, web/,
    );
    throws(() => resolveListen(['systemd'], false, []), /Cannot listen on "systemd": systemd passed no socket/);
  });
});
