import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { takeServiceManager } from '../../src/os/service-manager.ts';

describe('takeServiceManager', () => {
  it('reads the variables and removes them', () => {
    const environment = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '2500000', WATCHDOG_PID: '7', PATH: '/bin' };
    deepEqual(takeServiceManager(environment, 7), { socket: '/run/notify', watchdogMs: 2500 });
    deepEqual(environment, { PATH: '/bin' });
  });

  it('ignores a watchdog when it is for another process', () => {
    const environment = { NOTIFY_SOCKET: '@abstract', WATCHDOG_USEC: '2500000', WATCHDOG_PID: '8' };
    deepEqual(takeServiceManager(environment, 7), { socket: '@abstract', watchdogMs: 0 });
  });

  for (const socket of [undefined, '', '/', '@', 'relative', 'vsock:2:1234'])
    it(`returns null when the address is ${JSON.stringify(socket)}`, () =>
      equal(takeServiceManager(socket === undefined ? {} : { NOTIFY_SOCKET: socket }, 7), null));
});
