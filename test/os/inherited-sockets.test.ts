import { deepEqual, equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveListen, takeInheritedSockets } from '../../src/os/inherited-sockets.ts';

describe('the sockets that systemd passes', () => {
  it('are numbered from 3 and have the names of their units, and the variables are taken away', () => {
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

  for (const [why, environment] of [
    ['they are for another process', { LISTEN_PID: '8', LISTEN_FDS: '1' }],
    ['no process is named', { LISTEN_FDS: '1' }],
    ['there are none', { LISTEN_PID: '7', LISTEN_FDS: '0' }],
    ['the number is none', { LISTEN_PID: '7', LISTEN_FDS: 'many' }],
    ['the number is absurd', { LISTEN_PID: '7', LISTEN_FDS: '1000000000' }],
  ] as const) {
    it(`are none when ${why}, and the variables are taken away all the same`, () => {
      const given: NodeJS.ProcessEnv = { ...environment };
      deepEqual(takeInheritedSockets(given, 7), []);
      deepEqual(given, {});
    });
  }

  const sockets = [
    { fd: 3, name: 'web' },
    { fd: 4, name: 'admin' },
    { fd: 5, name: 'web' },
  ];

  it('stand in for the default, and not for what was asked for', () => {
    deepEqual(resolveListen(['127.0.0.1:8000'], true, sockets), ['fd:3', 'fd:4', 'fd:5']);
    const listen = ['127.0.0.1:8000'];
    equal(resolveListen(listen, false, sockets), listen);
    equal(resolveListen(listen, true, []), listen);
  });

  it('are found by name, beside other addresses', () => {
    deepEqual(resolveListen(['8000', 'systemd:web'], false, sockets), ['8000', 'fd:3', 'fd:5']);
    deepEqual(resolveListen(['systemd'], false, sockets), ['fd:3', 'fd:4', 'fd:5']);
  });

  it('are missed in words', () => {
    throws(
      () => resolveListen(['systemd:x'], false, sockets),
      /Cannot listen on "systemd:x": systemd passed only web, admin, web/,
    );
    throws(() => resolveListen(['systemd'], false, []), /Cannot listen on "systemd": systemd passed no socket/);
  });
});
