import { join } from 'node:path';
import type { Statement } from '../../import-report.ts';
import type { Directive } from '../tree.ts';
import { isInert, OPAQUE_HANDLERS, PASSES } from './directives.ts';
import { expiresOf } from './expires.ts';
import type { AddedField, ErrorPage, Root, SendingModule, SentField, Settings } from './model.ts';
import { parsePattern } from './pattern.ts';
import { parseTemplate } from './template.ts';

/** What a level is, as far as its settings depend on it. */
export interface Place {
  /** The path of a location, whose length `alias` replaces. */
  readonly path: string;
  readonly isPattern: boolean;
}

/** Directives that are read where levels are built. */
const STRUCTURE: ReadonlySet<string> = new Set([
  ...['server', 'location', 'if', 'limit_except', 'rewrite', 'return', 'set', 'break', 'try_files', 'internal'],
  ...['upstream', 'map', 'geo', 'split_clients', 'merge_slashes', 'underscores_in_headers', 'ignore_invalid_headers'],
  ...['include', 'http', 'events', 'stream', 'mail'],
]);

const SENDING: Readonly<Record<string, SendingModule>> = {
  proxy_set_header: 'proxy',
  grpc_set_header: 'grpc',
  fastcgi_param: 'fastcgi',
  uwsgi_param: 'uwsgi',
  scgi_param: 'scgi',
};

/** What holds where a configuration says nothing. `types` is null where the file with them is missing. */
export function defaultSettings(prefix: string, types: ReadonlyMap<string, string> | null): Settings {
  return {
    root: { path: parseTemplate(join(prefix, 'html')), replaces: 0 },
    index: [parseTemplate('index.html')],
    autoindex: false,
    access: [],
    satisfy: 'all',
    realm: null,
    hasPasswords: false,
    authRequest: null,
    errorPages: [],
    recursiveErrorPages: false,
    fields: [],
    expires: { kind: 'off' },
    types,
    defaultType: 'text/plain',
    absoluteRedirect: true,
    portInRedirect: true,
    serverNameInRedirect: false,
    proxyMethod: null,
    passesFields: { proxy: true, grpc: true, fastcgi: true, uwsgi: true, scgi: true },
    sent: { proxy: [], grpc: [], fastcgi: [], uwsgi: [], scgi: [] },
    fastcgiIndex: '',
    fastcgiSplit: null,
    opaque: [],
  };
}

/** Settings of a level inside another. A level that has a directive of a kind replaces all of the same kind. */
export function inheritSettings(from: Settings, block: readonly Directive[], place: Place, prefix: string): Settings {
  const named = (...names: string[]) => block.filter(({ name }) => names.includes(name));
  const last = (name: string) => named(name).at(-1)?.args ?? null;
  const flag = (name: string, inherited: boolean) => (last(name) === null ? inherited : last(name)?.[0] === 'on');
  const list = <T>(inherited: readonly T[], own: readonly T[]) => (own.length === 0 ? inherited : own);
  const [realm = null] = last('auth_basic') ?? [];
  const [authRequest = null] = last('auth_request') ?? [];
  const [satisfy = from.satisfy] = last('satisfy') ?? [];
  const [split = null] = last('fastcgi_split_path_info') ?? [];
  const opaque = block.filter(isOpaque);
  return {
    root: rootOf(block, place, prefix) ?? from.root,
    index: list(
      from.index,
      named('index').flatMap(({ args }) => args.map(parseTemplate)),
    ),
    autoindex: flag('autoindex', from.autoindex),
    access: list(
      from.access,
      named('allow', 'deny').map((each) => ({
        statement: each,
        allows: each.name === 'allow',
        network: each.args[0] ?? '',
      })),
    ),
    satisfy: satisfy === 'any' ? 'any' : 'all',
    realm: realm === null ? from.realm : realm === 'off' ? null : parseTemplate(realm),
    hasPasswords: from.hasPasswords || last('auth_basic_user_file') !== null,
    authRequest: authRequest === null ? from.authRequest : authRequest === 'off' ? null : authRequest,
    errorPages: list(from.errorPages, named('error_page').map(errorPageOf)),
    recursiveErrorPages: flag('recursive_error_pages', from.recursiveErrorPages),
    fields: list(from.fields, named('add_header').map(addedFieldOf)),
    expires: named('expires').map(expiresOf).at(-1) ?? from.expires,
    types: typesOf(named('types')) ?? from.types,
    defaultType: last('default_type')?.[0] ?? from.defaultType,
    absoluteRedirect: flag('absolute_redirect', from.absoluteRedirect),
    portInRedirect: flag('port_in_redirect', from.portInRedirect),
    serverNameInRedirect: flag('server_name_in_redirect', from.serverNameInRedirect),
    proxyMethod: named('proxy_method').map(({ args }) => parseTemplate(args[0] ?? ''))[0] ?? from.proxyMethod,
    passesFields: {
      proxy: flag('proxy_pass_request_headers', from.passesFields.proxy),
      grpc: true,
      fastcgi: flag('fastcgi_pass_request_headers', from.passesFields.fastcgi),
      uwsgi: flag('uwsgi_pass_request_headers', from.passesFields.uwsgi),
      scgi: flag('scgi_pass_request_headers', from.passesFields.scgi),
    },
    sent: sentOf(from.sent, block),
    fastcgiIndex: last('fastcgi_index')?.[0] ?? from.fastcgiIndex,
    fastcgiSplit: split === null ? from.fastcgiSplit : parsePattern(split, false),
    opaque: opaque.length === 0 ? from.opaque : [...from.opaque, ...opaque],
  };
}

/** Directives that are read in `inheritSettings`. */
const READ: ReadonlySet<string> = new Set([
  ...['root', 'alias', 'index', 'autoindex', 'allow', 'deny', 'auth_basic', 'auth_request', 'error_page', 'add_header'],
  ...['expires', 'types', 'default_type', 'absolute_redirect', 'server_name_in_redirect', 'proxy_method'],
  ...['fastcgi_index', 'fastcgi_split_path_info'],
]);

function isOpaque({ name }: Statement & { readonly name: string }): boolean {
  return !(
    READ.has(name) ||
    name.endsWith('_pass_request_headers') ||
    STRUCTURE.has(name) ||
    name in SENDING ||
    name in PASSES ||
    OPAQUE_HANDLERS.has(name) ||
    isInert(name)
  );
}

function rootOf(block: readonly Directive[], { path, isPattern }: Place, prefix: string): Root | null {
  const directive = block.filter(({ name }) => name === 'root' || name === 'alias').at(-1);
  if (directive === undefined) return null;
  const isAlias = directive.name === 'alias';
  const [written = ''] = directive.args;
  const plain = isAlias ? written : written.replace(/\/$/, '');
  const absolute = plain.startsWith('/') || plain.startsWith('$') || written === '/' ? plain : join(prefix, plain);
  return { path: parseTemplate(absolute), replaces: !isAlias ? 0 : isPattern ? 'all' : path.length };
}

function errorPageOf(directive: Directive): ErrorPage {
  const { args } = directive;
  const before = args.at(-2) ?? '';
  const hasStatus = before.startsWith('=');
  const status = !hasStatus ? null : before === '=' ? 0 : Number(before.slice(1));
  const statuses = args.slice(0, hasStatus ? -2 : -1).map(Number);
  return { statement: directive, statuses, status, target: parseTemplate(args.at(-1) ?? '') };
}

function addedFieldOf(directive: Directive): AddedField {
  const [name = '', value = '', always] = directive.args;
  return { statement: directive, name, value: parseTemplate(value), always: always === 'always' };
}

/** Media types by extension of `types` blocks, or null without one. */
export function typesOf(blocks: readonly Directive[]): ReadonlyMap<string, string> | null {
  if (blocks.length === 0) return null;
  const entries = blocks.flatMap(({ block }) => block ?? []);
  return new Map(
    entries.flatMap(({ name, args }) => args.map((extension) => [extension.toLowerCase(), name] as const)),
  );
}

function sentOf(from: Settings['sent'], block: readonly Directive[]): Settings['sent'] {
  const own: Partial<Record<SendingModule, SentField[]>> = {};
  for (const { name, args } of block) {
    const module = SENDING[name];
    if (module === undefined) continue;
    const [field = '', value = '', condition] = args;
    own[module] ??= [];
    own[module].push({ name: field, value: parseTemplate(value), unlessEmpty: condition === 'if_not_empty' });
  }
  return { ...from, ...own };
}
