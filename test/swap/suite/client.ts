import { CLIENT } from '../addresses.ts';
import { type Case, checkSeen, firstOf, same } from './case.ts';

const SPOOFED = [
  ['X-Forwarded-For', '192.0.2.66'],
  ['X-Forwarded-Proto', 'https'],
] as const;

/** What an application sees of the client. */
export const CLIENTS: readonly Case[] = [
  {
    name: 'address',
    description: "`REMOTE_ADDR` is the client's address",
    requests: [{ target: '/echo' }],
    check: ([answer]) => checkSeen(answer, ({ address }) => same('REMOTE_ADDR', address, CLIENT)),
  },
  {
    name: 'spoofed address',
    description: 'an `X-Forwarded-For` that the client sends does not become `REMOTE_ADDR`',
    requests: [{ target: '/echo', fields: SPOOFED }],
    check: ([answer]) =>
      checkSeen(answer, ({ address }) => (address === '192.0.2.66' ? 'REMOTE_ADDR is what the client wrote' : null)),
  },
  {
    name: 'scheme',
    description: 'the scheme is http, even if the client sends `X-Forwarded-Proto: https`',
    requests: [{ target: '/echo' }, { target: '/echo', fields: SPOOFED }],
    check: ([first, second]) =>
      firstOf(
        checkSeen(first, ({ scheme }) => same('the scheme', scheme, 'http')),
        checkSeen(second, ({ scheme }) => same('the scheme a client claims', scheme, 'http')),
      ),
  },
  {
    name: 'https',
    description: 'the scheme is https when the client uses TLS',
    requests: [{ target: '/echo' }],
    secure: true,
    check: ([answer]) => checkSeen(answer, ({ scheme }) => same('the scheme', scheme, 'https')),
  },
  {
    name: 'kept connection',
    description: 'two requests on one connection',
    requests: [{ target: '/echo' }, { method: 'POST', target: '/echo', content: Buffer.from('content') }],
    kept: true,
    check: ([first, second]) =>
      firstOf(
        checkSeen(first, ({ method }) => same('the method', method, 'GET')),
        checkSeen(second, ({ size }) => (size === 7 ? null : `${size} bytes arrive`)),
      ),
  },
];
