import { hostname } from 'node:os';
import type { Level } from './log.ts';

/** The severities of syslog (RFC 5424 section 6.2.1), also of the prefixes that systemd's journal reads (sd-daemon(3)). */
export const SEVERITIES: Readonly<Record<Level, number>> = { error: 3, warn: 4, info: 6 };

/** Longest message, in bytes. A receiver takes 2048 bytes at least (RFC 5424 section 6.1); rsyslog takes 8 KiB by default. */
const MESSAGE_BYTES_MAX = 8192;
const CUT = ' [cut]';

const HOST =
  hostname()
    .replace(/[^\x21-\x7e]/g, '')
    .slice(0, 255) || '-';

/**
 * A message of RFC 5424. `log` becomes its MSGID: `access` or `server`. It has no structured data, because the text is an object of JSON by
 * default. A text that is too long is cut.
 */
export function syslogMessage(facility: number, level: Level, log: string, text: string): Buffer {
  const priority = facility * 8 + SEVERITIES[level];
  const head = `<${priority}>1 ${new Date().toISOString()} ${HOST} viaduct ${process.pid} ${log} - `;
  const message = Buffer.from(head + text);
  if (message.length <= MESSAGE_BYTES_MAX) return message;
  return Buffer.concat([message.subarray(0, MESSAGE_BYTES_MAX - CUT.length), Buffer.from(CUT)]);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** The parts of `syslogMessage` before the text. */
const HEAD = /^<(\d+)>1 (\S+) \S+ (\S+) (\d+) \S+ - /;

/**
 * A message of `syslogMessage` as syslog(3) writes it to /dev/log: the form of RFC 3164 without the host, in local time. What reads datagrams of
 * this machine takes no other form.
 */
export function localMessage(message: Buffer): Buffer {
  const text = message.toString();
  const [head = '', priority, time = '', program, pid] = HEAD.exec(text) ?? [];
  const date = new Date(time);
  const two = (number: number): string => `${number}`.padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = `${date.getDate()}`.padStart(2, ' ');
  return Buffer.from(
    `<${priority}>${MONTHS[date.getMonth()]} ${day} ${clock} ${program}[${pid}]: ${text.slice(head.length)}`,
  );
}
