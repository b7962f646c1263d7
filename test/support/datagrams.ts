import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatagramProcess } from '../../src/log/datagram-process.ts';
import type { Lifetime } from './lifetime.ts';
import { findProgram, missing, startPeer } from './peer.ts';
import './project.ts'; // shows the Python package to the compiled source
import { ROOT } from './viaduct.ts';
import { eventually } from './wait.ts';

const RECEIVER = join(ROOT, 'test/support/datagram_receiver.py');
const JOURNALD = '/usr/lib/systemd/systemd-journald';

/** The process that sends datagrams to `path`. */
export function datagramsTo(path: string, python = 'python3'): DatagramProcess {
  return new DatagramProcess({ python, path, owner: null });
}

/** A message that a receiver of datagrams got. */
export interface Datagram {
  /** Whether it came as a sealed file in memory. */
  readonly sealed: boolean;
  readonly data: Buffer;
}

export interface DatagramReceiver {
  datagrams(): readonly Datagram[];
  /** Lets a receiver read that waits. */
  read(): void;
  /** Ends it, and removes its socket. */
  stop(): Promise<void>;
}

/** Binds a Unix socket for datagrams, and receives. With `waits`, it reads nothing before `read`. */
export async function receiveDatagrams(t: Lifetime, path: string, { waits = false } = {}): Promise<DatagramReceiver> {
  const child = spawn('python3', [RECEIVER, path, ...(waits ? ['--waits'] : [])], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'close');
    rmSync(path, { force: true });
  };
  t.after(stop);
  await eventually('the receiver is bound', () => output.startsWith('BOUND\n'));
  return {
    datagrams: () =>
      output
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line) as { sealed: boolean; data: string })
        .map(({ sealed, data }) => ({ sealed, data: Buffer.from(data, 'base64') })),
    read: () => void child.stdin.write('\n'),
    stop,
  };
}

/** The fields of an entry in the journal's native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). */
export function journalFields(entry: Buffer): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  let at = 0;
  while (at < entry.length) {
    const end = entry.indexOf('\n', at);
    const line = entry.toString('utf8', at, end);
    const equals = line.indexOf('=');
    if (equals >= 0) fields[line.slice(0, equals)] = line.slice(equals + 1);
    else {
      const start = end + 1 + 8;
      const length = Number(entry.readBigUInt64LE(end + 1));
      fields[line] = entry.toString('utf8', start, start + length);
      at = start + length + 1;
      continue;
    }
    at = end + 1;
  }
  return fields;
}

/** For `it(title, { skip: NO_JOURNALD })`: false if a journal can be started here, otherwise the reason to skip. */
export const NO_JOURNALD =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'only root can start a systemd-journald of its own'
    : !existsSync(JOURNALD)
      ? 'systemd-journald is not installed'
      : !existsSync('/etc/machine-id') || readFileSync('/etc/machine-id', 'latin1').trim() === ''
        ? 'this machine has no /etc/machine-id'
        : missing('unshare', 'journalctl');

export interface Journal {
  /** The socket of the native protocol. */
  readonly socket: string;
  /** The socket of syslog(3), which is /dev/log elsewhere. */
  readonly syslogSocket: string;
  /** The entries that match, such as `VIADUCT_LOG=server`, with all their fields. */
  entries(...matches: string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Starts systemd-journald with a /run of its own, which other programs see below /proc. */
export async function startJournald(t: Lifetime): Promise<Journal> {
  const command = `mount -t tmpfs journal /run && mkdir -p /run/systemd/journal /run/log/journal && exec ${JOURNALD}`;
  const peer = await startPeer(t, 'unshare', ['--mount', 'sh', '-c', command]);
  const root = `/proc/${peer.process.pid}/root/run`;
  const socket = `${root}/systemd/journal/socket`;
  await eventually('the journal listens', () => existsSync(socket));
  return {
    socket,
    syslogSocket: `${root}/systemd/journal/dev-log`,
    async entries(...matches) {
      const args = ['--directory', `${root}/log/journal`, '--output', 'json', '--all', '--no-pager', ...matches];
      const child = spawn(findProgram('journalctl') ?? '', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      const blocks: Buffer[] = [];
      child.stdout.on('data', (block: Buffer) => blocks.push(block));
      await once(child, 'close');
      const lines = Buffer.concat(blocks).toString('utf8').split('\n');
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}
