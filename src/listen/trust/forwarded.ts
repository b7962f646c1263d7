import { isIPv4, isIPv6 } from 'node:net';

/** The parameters of one hop in a `Forwarded` field; '' for absent ones. */
export interface ForwardedElement {
  readonly for: string;
  readonly host: string;
  readonly proto: string;
}

/** The address and port of a hop, with port 0 if it is absent. `hidden` if the hop conceals them (RFC 7239 sections 6.2 and 6.3). */
export type Hop = { readonly address: string; readonly port: number } | 'hidden' | 'malformed';

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)"/y;
const OBFUSCATED = /^_[A-Za-z0-9._-]+$/;
const PORT_MAX = 65535;

/**
 * Parses a `Forwarded` field (RFC 7239 section 4) from its end, because proxies add their elements there. Nothing further left can change
 * the meaning of the last elements, not even an open quote.
 */
export class ForwardedReader {
  readonly #text: string;
  #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = text.length;
  }

  /** The elements that were read so far, unchanged. */
  get taken(): string {
    return this.#text.slice(this.#end + 1).trim();
  }

  /** Reads the next element to the left; null at the start of the field. */
  previous(): ForwardedElement | 'malformed' | null {
    while (this.#end >= 0) {
      const start = this.#startOfElement();
      const element = this.#text.slice(start, this.#end).trim();
      this.#end = start - 1;
      if (element !== '') return parseElement(element);
    }
    return null;
  }

  /** The position after the last comma outside quotes. A quote in a quoted string has a backslash before it. */
  #startOfElement(): number {
    let quoted = false;
    for (let at = this.#end - 1; at >= 0; at -= 1) {
      const char = this.#text.charCodeAt(at);
      if (char === COMMA && !quoted) return at + 1;
      if (char === QUOTE && !(quoted && this.#isEscaped(at))) quoted = !quoted;
    }
    return 0;
  }

  #isEscaped(at: number): boolean {
    let slashes = 0;
    while (this.#text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    return slashes % 2 === 1;
  }
}

/** Reads `name=value;name="value"`; each name may appear only once. */
function parseElement(text: string): ForwardedElement | 'malformed' {
  const values = new Map<string, string>();
  let at = 0;
  for (;;) {
    const name = matchAt(TOKEN, text, at)?.[0];
    if (name !== undefined) {
      at += name.length;
      if (text.charCodeAt(at) !== EQUALS || values.has(name.toLowerCase())) return 'malformed';
      const value = matchAt(TOKEN, text, at + 1) ?? matchAt(QUOTED, text, at + 1);
      if (value === null) return 'malformed';
      values.set(name.toLowerCase(), value[1] === undefined ? value[0] : value[1].replace(/\\(.)/g, '$1'));
      at += 1 + value[0].length;
    }
    while (text.charCodeAt(at) === SP || text.charCodeAt(at) === HTAB) at += 1;
    if (at === text.length) break;
    if (text.charCodeAt(at) !== SEMICOLON) return 'malformed';
    at += 1;
    while (text.charCodeAt(at) === SP || text.charCodeAt(at) === HTAB) at += 1;
  }
  return { for: values.get('for') ?? '', host: values.get('host') ?? '', proto: values.get('proto') ?? '' };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * Reads a node: an IPv4 address, or an IPv6 address in brackets, with or without a port. `unknown` and obfuscated identifiers are hidden.
 * An IPv6 address without brackets is valid too, because `X-Forwarded-For` has this form.
 */
export function parseHop(text: string): Hop {
  if (isIPv6(text)) return addressed(text, '');
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::([^:]+))?$/.exec(text);
  if (parts === null) return 'malformed';
  const [, ipv6 = '', name = '', port = ''] = parts;
  if (port !== '' && !OBFUSCATED.test(port) && !(/^\d{1,5}$/.test(port) && Number(port) <= PORT_MAX))
    return 'malformed';
  if (ipv6 !== '') return isIPv6(ipv6) ? addressed(ipv6, port) : 'malformed';
  if (isIPv4(name)) return addressed(name, port);
  return name.toLowerCase() === 'unknown' || OBFUSCATED.test(name) ? 'hidden' : 'malformed';
}

function addressed(address: string, port: string): Hop {
  if (address.includes('%')) return 'malformed';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return { address: mapped ?? address.toLowerCase(), port: /^\d+$/.test(port) ? Number(port) : 0 };
}

const HTAB = 0x09;
const SP = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
