import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually, isRunning } from '../../support/wait.ts';
import { type Attack, together } from './attack.ts';

const CLIENTS = 100;
/** Signals that another program may send by mistake, and that must not end a server. */
const HARMLESS = ['SIGUSR1', 'SIGWINCH', 'SIGALRM', 'SIGPIPE', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGIO'] as const;

/** Attacks on TLS, on the workers, and by the signals of other programs. */
export const LOCAL_ATTACKS: readonly Attack[] = [
  {
    name: 'TLS handshakes that stop',
    promise: 'A handshake has a deadline.',
    run: (target) =>
      together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('tls'));
        if (index % 2 === 0) client.send('\x16\x03\x01\x02\0\x01\0');
        await client.untilClosed();
      }),
  },
  {
    name: 'TLS with foreign octets',
    promise: 'Octets that are not TLS end the connection.',
    run: (target) =>
      together(CLIENTS, async () => {
        const client = await SocketClient.open(target.door('tls'));
        client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        await client.untilClosed();
      }),
  },
  {
    name: 'TLS renegotiation and early ends',
    promise: 'A client that leaves during a response leaves nothing behind.',
    run: (target) =>
      together(CLIENTS, async () => {
        const path = target.door('tls') as string;
        await new Promise<void>((resolve) => {
          const socket = connectTls({ path, rejectUnauthorized: false, servername: 'localhost' }, () => {
            socket.write('GET /large/4 HTTP/1.1\r\nHost: a\r\n\r\n');
            socket.once('data', () => socket.destroy());
          });
          socket.on('error', () => {});
          socket.on('close', () => resolve());
        });
      }),
  },
  {
    name: 'workers that are killed',
    promise: 'A worker that dies is replaced. The requests that it had not started run elsewhere.',
    run: async (target) => {
      const pids = target.workerPids();
      const clients = together(CLIENTS, async (index) => {
        const client = await SocketClient.open(target.door('http1'));
        client.send(`GET /token/killed-${index}/20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        const status = await client.untilClosed();
        assert.ok([200, 502].includes(status), `request ${index} got ${status}`);
      });
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await clients;
      await eventually('the workers are replaced', () => target.workerPids().every((pid) => !pids.includes(pid)));
      for (let index = 0; index < CLIENTS; index += 1) {
        assert.ok((target.starts().get(`killed-${index}`) ?? 0) <= 1, `request ${index} started twice`);
      }
    },
  },
  {
    name: 'signals of other programs',
    promise: 'No signal opens a debugger, and only the documented ones end the server.',
    run: async (target) => {
      const { pid } = target.viaduct;
      for (const signal of HARMLESS) process.kill(pid, signal);
      await target.assertServes();
      assert.ok(isRunning(pid));
      assert.doesNotMatch(target.viaduct.output(), /Debugger listening/);
    },
  },
];
