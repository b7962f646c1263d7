import type { ConfigBuilder } from '../config-builder.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Mapping } from './mapping.ts';
import type { Directive } from './tree.ts';

const SCHEMES: Readonly<Record<string, string>> = {
  http: 'http',
  https: 'https',
  ws: 'http',
  wss: 'https',
  h2c: 'h2c',
  uwsgi: 'uwsgi',
  fcgi: 'fastcgi',
  scgi: 'scgi',
};

/** Makes a route forward its requests as `ProxyPass` does. A target without a counterpart gets 503. */
export function writeBackend(
  route: ConfigBuilder,
  { directive, prefix, hasSlash, answer }: Mapping,
  settings: readonly Directive[],
  { report, pathOf }: WsgiContext,
): void {
  const url = answer.kind === 'backend' ? answer.url : '';
  const [, socket, target = ''] = /^(?:unix:([^|]+)\|)?(.*)$/s.exec(url) ?? [];
  const [, scheme = '', authority = '', path = ''] = /^(\w+):\/\/([^/]*)(\/.*)?$/.exec(target) ?? [];
  const ours = SCHEMES[scheme];
  if (ours === undefined || /[$%{}\s]/.test(target)) {
    route.table('respond').set('status', 503, directive);
    report.lost(directive, 'the backend has no counterpart, and its paths get 503: write a route with proxy');
    return;
  }
  const place = socket === undefined ? authority : `unix:${pathOf(socket)}`;
  route.set('proxy', socket !== undefined && ours === 'http' ? place : `${ours}://${place}`, directive);
  const written = path.replace(/\/$/, '');
  if (written !== prefix) {
    if (prefix !== '') route.table('rewrite').set('prefix', prefix, directive);
    else route.table('rewrite').set('pattern', '^(/.*)$', directive);
    if (prefix === '') route.table('rewrite').set('to', `${written}{1}`, directive);
    else route.table('rewrite').set('replacement', written === '' ? '/' : written, directive);
  }
  if (prefix !== '' && hasSlash !== path.endsWith('/'))
    report.danger(directive, 'one of the two ends with a slash, so the backend would get another path');
  const keeps = settings.findLast(({ name }) => name === 'proxypreservehost')?.args[0]?.toLowerCase() === 'on';
  if (!keeps && /^https?$/.test(ours) && authority !== '')
    route.table('proxy_options').set('host', authority, directive);
  if (directive.args.slice(2).length > 0) report.differs(directive, 'its options are not read: see proxy_options');
}
