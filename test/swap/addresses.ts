import { connect } from 'node:net';

/** An address of this machine that no other test uses, so all its ports are free. Only Linux has many addresses without configuration. */
const HOST = `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
let last = 8000;

/** For `{ skip: NO_ADDRESSES }`: false if this machine has these addresses, otherwise the reason to skip. */
export const NO_ADDRESSES = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8';

/** The address from which clients connect. Front-end proxies connect from 127.0.0.1. */
export const CLIENT = '127.0.0.2';

/** An address to listen on. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An address on which nothing listens yet. */
export function freeAddress(): Address {
  last += 1;
  return { host: HOST, port: last };
}

export function formatAddress({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** Whether a server listens on this address. */
export function isListening(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
