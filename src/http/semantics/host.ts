import { isIPv6 } from 'node:net';
import { COLON, REG_NAME } from './bytes.ts';

const PORT_MAX = 65535;
/** The longest name of DNS (RFC 3986 section 3.2.2). Each label of a host costs a look-up. */
const NAME_BYTES_MAX = 255;
const OPEN_BRACKET = 0x5b;

/**
 * Whether `text` is a host with or without a port, as in the Host field and in an http URI: a registered name, an IPv4 address, or an
 * IPv6 address in brackets. It is never empty, has at most 255 bytes without its port, and never has userinfo (RFC 9110 sections 4.2 and 7.2, RFC 3986 section 3.2.2).
 * Encoded octets are refused: browsers resolve no name that has them, and the next server might decode them.
 */
export function isHost(text: string): boolean {
  if (text.charCodeAt(0) === OPEN_BRACKET) {
    const close = text.indexOf(']');
    return close > 0 && isIPv6(text.slice(1, close)) && !text.includes('%') && isPort(text, close + 1);
  }
  let at = 0;
  while (at < text.length && REG_NAME[text.charCodeAt(at)] === 1) at += 1;
  return at > 0 && at <= NAME_BYTES_MAX && isPort(text, at);
}

/** Whether the text after the host is absent, or a colon with a port. The port may be empty. */
function isPort(text: string, from: number): boolean {
  if (from === text.length) return true;
  if (text.charCodeAt(from) !== COLON) return false;
  let port = 0;
  for (let at = from + 1; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > PORT_MAX) return false;
  }
  return true;
}
