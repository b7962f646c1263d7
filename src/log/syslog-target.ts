import { isAbsolute } from 'node:path';
import { ViaductError } from '../errors.ts';

/** Where syslog messages go. */
export interface SyslogTarget {
  /** As it was written, for messages. */
  readonly url: string;
  readonly transport: 'udp' | 'tcp' | 'unix';
  /** Name or address; '' for a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket; '' without one. */
  readonly path: string;
  /** Numerical code of the facility (RFC 5424 section 6.2.1). */
  readonly facility: number;
}

/** The names of the facilities, by their codes. */
const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['ntp', 'audit', 'alert', 'clock', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const DEFAULT_FACILITY = 'daemon';

/** The registered ports: RFC 5426 for UDP, RFC 6587 for TCP. */
const PORTS = { udp: 514, tcp: 601 };

/**
 * Reads `udp://HOST:PORT`, `tcp://HOST:PORT` or `unix:PATH`, with `?facility=local0` if it is not `daemon`. `setting` is for the message.
 *
 * @throws ViaductError `SETTINGS`
 */
export function parseSyslogTarget(setting: string, url: string): SyslogTarget {
  const [address = '', query, ...others] = url.split('?');
  const name = query === undefined ? DEFAULT_FACILITY : (/^facility=(.+)$/.exec(query)?.[1] ?? '');
  const facility = FACILITIES.indexOf(name);
  const isQueryRight = others.length === 0 && facility >= 0;
  const path = /^unix:(.+)$/.exec(address)?.[1];
  if (isQueryRight && path !== undefined && isAbsolute(path))
    return { url, transport: 'unix', host: '', port: 0, path, facility };
  const [, transport, host, digits] =
    /^(udp|tcp):\/\/(\[[0-9A-Fa-f:.%\w]+\]|[^[\]:/@\s]+)(?::(\d{1,5}))?$/.exec(address) ?? [];
  const port = digits === undefined ? PORTS[transport as 'udp' | 'tcp'] : Number(digits);
  if (!isQueryRight || transport === undefined || host === undefined || port < 1 || port > 65_535)
    throw new ViaductError('SETTINGS', `Cannot use ${setting} "${url}": it is not the address of a syslog server`, {
      advice:
        'Write udp://HOST:PORT, tcp://HOST:PORT or unix:/PATH, and after it ?facility=local0 for another facility than daemon.',
    });
  return {
    url,
    transport: transport as 'udp' | 'tcp',
    host: host.replace(/^\[|\]$/g, ''),
    port,
    path: '',
    facility,
  };
}
