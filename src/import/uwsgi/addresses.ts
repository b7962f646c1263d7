import { setSetting, type WsgiContext } from '../wsgi-config-builder.ts';
import type { Option } from './option.ts';
import { writeHttps } from './settings.ts';

/** The protocol at the address of an option. */
const SCHEMES: Readonly<Record<string, string>> = {
  http: '',
  'http-socket': '',
  'http-router': '',
  https: 'https://',
  'https-socket': 'https://',
  socket: 'uwsgi://',
  'uwsgi-socket': 'uwsgi://',
  s: 'uwsgi://',
  'fastcgi-socket': 'fastcgi://',
  'scgi-socket': 'scgi://',
  'http-to-https': '',
};

export function isAddress({ name }: Option): boolean {
  return Object.hasOwn(SCHEMES, name) || MARKS.has(name);
}

const MARKS: ReadonlySet<string> = new Set([
  'shared-socket',
  'chmod-socket',
  'chmod',
  'chown-socket',
  'protocol',
  'socket-protocol',
]);

/** Writes the addresses of the server, with the permissions of its sockets. */
export function writeAddresses(options: readonly Option[], context: WsgiContext): void {
  const all = options.filter(isAddress);
  const mode = all.findLast(({ name }) => name === 'chmod-socket' || name === 'chmod');
  const owner = all.findLast(({ name }) => name === 'chown-socket');
  const protocol = all.findLast(({ name }) => name === 'protocol' || name === 'socket-protocol');
  const addresses: string[] = [];
  const from: Option[] = [];
  for (const option of all) {
    context.report.took(option);
    const scheme = option === protocol ? undefined : schemeOf(option, protocol?.value ?? '');
    if (scheme === undefined) continue;
    const written = option.name.startsWith('https') ? writeHttps(option, context) : option.value;
    const address = addressOf(sharedAddress(written, all), context);
    if (address === null) context.report.lost(option, 'Viaduct cannot listen on this address');
    else {
      if (option.name === 'http-to-https') writeRedirect(address, option, context);
      addresses.push(`${scheme}${address}${address.startsWith('unix:') ? rightsOf(mode, owner) : ''}`);
      from.push(option);
    }
  }
  const [first] = from;
  if (first === undefined) return;
  setSetting('listen', [...new Set(addresses)], first, context);
  const entry = context.builder.values.get('listen');
  if (entry === undefined) return;
  context.builder.set('listen', entry.value, ...from, ...[mode, owner].filter((one) => one !== undefined));
  const shared = from.find((option, index) => option.name.startsWith('http') && !isLocal(addresses[index] ?? ''));
  if (shared !== undefined)
    context.report.differs(
      shared,
      'X-Forwarded-Proto counts only if a proxy sends it that trusted_proxies names, and X-Forwarded-SSL never; uWSGI trusts everybody',
    );
}

/** Whether only programs on this machine can connect. They are trusted proxies by default. */
function isLocal(address: string): boolean {
  return /^(?:https:\/\/)?(?:unix:|127\.|localhost:|\[::1\])/.test(address);
}

/** `=0` is the first shared socket. */
function sharedAddress(written: string, all: readonly Option[]): string {
  const [, number] = /^=(\d+)$/.exec(written) ?? [];
  return number === undefined
    ? written
    : (all.filter(({ name }) => name === 'shared-socket')[Number(number)]?.value ?? '');
}

/** Everything at this address is redirected to https. */
function writeRedirect(address: string, option: Option, { builder }: WsgiContext): void {
  const route = builder.append('route');
  route.set('listen', address, option);
  route.table('redirect').set('to', 'https://{hostname}{uri}', option);
  route.table('redirect').set('status', 301, option);
}

function schemeOf({ name }: Option, protocol: string): string | undefined {
  if (name !== 'socket' && name !== 's') return SCHEMES[name];
  return { http: '', fastcgi: 'fastcgi://', scgi: 'scgi://' }[protocol] ?? SCHEMES[name];
}

function addressOf(written: string, { pathOf }: WsgiContext): string | null {
  const plain = written.trim().replace(/^(?:http|https|tcp):\/\//, '');
  if (/^\d{1,5}$/.test(plain)) return `0.0.0.0:${plain}`;
  if (/^\*?:\d{1,5}$/.test(plain)) return `0.0.0.0:${plain.replace(/^\*?:/, '')}`;
  if (/^(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}$/.test(plain)) return plain;
  if (/^fd:\/\/\d+$/.test(plain)) return plain.replace('//', '');
  return /^@|^$|\s/.test(plain) ? null : `unix:${pathOf(plain)}`;
}

/** In uWSGI, chmod-socket without a number means 666. */
function rightsOf(mode: Option | undefined, owner: Option | undefined): string {
  const marks: string[] = [];
  if (mode !== undefined && /^0?[0-7]{3}$/.test(mode.value)) marks.push(`mode=${mode.value.slice(-3)}`);
  if (owner !== undefined && /^[\w.-]*:?[\w.-]*$/.test(owner.value)) marks.push(`owner=${owner.value}`);
  return marks.length === 0 ? '' : `?${marks.join('&')}`;
}
