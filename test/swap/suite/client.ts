import { CLIENT } from '../addresses.ts';
import { type Case, firstOf, same, told } from './case.ts';

const SPOOFED = [
  ['X-Forwarded-For', '192.0.2.66'],
  ['X-Forwarded-Proto', 'https'],
] as const;

/** What an application sees of the client. */
export const CLIENTS: readonly Case[] = [
  {
    name: 'address',
    tells: "`REMOTE_ADDR` is the client's",
    requests: [{ target: '/echo' }],
    check: ([answer]) => told(answer, ({ address }) => same('REMOTE_ADDR', address, CLIENT)),
  },
  {
    name: 'spoofed address',
    tells: 'what a client itself writes into `X-Forwarded-For` does not become `REMOTE_ADDR`',
    requests: [{ target: '/echo', fields: SPOOFED }],
    check: ([answer]) =>
      told(answer, ({ address }) => (address === '192.0.2.66' ? 'REMOTE_ADDR is what the client wrote' : null)),
  },
  {
    name: 'scheme',
    tells: 'http, also for a client that writes `X-Forwarded-Proto: https` itself',
    requests: [{ target: '/echo' }, { target: '/echo', fields: SPOOFED }],
    check: ([first, second]) =>
      firstOf(
        told(first, ({ scheme }) => same('the scheme', scheme, 'http')),
        told(second, ({ scheme }) => same('the scheme a client claims', scheme, 'http')),
      ),
  },
  {
    name: 'https',
    tells: 'the scheme is https when the client speaks TLS with the front',
    requests: [{ target: '/echo' }],
    secure: true,
    check: ([answer]) => told(answer, ({ scheme }) => same('the scheme', scheme, 'https')),
  },
  {
    name: 'kept connection',
    tells: 'two requests on one connection',
    requests: [{ target: '/echo' }, { method: 'POST', target: '/echo', content: Buffer.from('content') }],
    kept: true,
    check: ([first, second]) =>
      firstOf(
        told(first, ({ method }) => same('the method', method, 'GET')),
        told(second, ({ size }) => (size === 7 ? null : `${size} bytes arrive`)),
      ),
  },
];
