import { connect } from 'node:net';

/** An address of this machine that no other test has, so that all its ports are free. Only Linux has more than one without being told. */
const HOST = `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
let last = 8000;

/** For `{ skip: NO_ADDRESSES }`. */
export const NO_ADDRESSES = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8';

/** Where clients connect from, so that they are told from fronts, which connect from 127.0.0.1. */
export const CLIENT = '127.0.0.2';

/** A place to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** One that nobody listens on. */
export function takePlace(): Place {
  last += 1;
  return { host: HOST, port: last };
}

export function written({ host, port }: Place): string {
  return `${host}:${port}`;
}

/** Whether somebody listens there. */
export function answers(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
