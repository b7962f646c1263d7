import { basename } from 'node:path';
import type { Directive, Tree } from '../tree.ts';
import { buildInstructions } from './build-instructions.ts';
import { addressesOf, buildAddresses } from './build-listen.ts';
import { buildLocation, tryFilesOf } from './build-location.ts';
import { defaultSettings, inheritSettings } from './build-settings.ts';
import { buildVariables } from './build-variables.ts';
import { inBytes } from './bytes.ts';
import type { Location, Model, Server, ServerName, Settings, Upstream } from './model.ts';
import { parsePattern } from './pattern.ts';

/** What nginx knows without a `types` block. */
const BUILT_IN_TYPES = new Map([
  ['html', 'text/html'],
  ['gif', 'image/gif'],
  ['jpg', 'image/jpeg'],
]);

/**
 * What a configuration means. What belongs into `http` may also be outside of it, as in the files of `sites-enabled`.
 *
 * @param prefix where relative paths start: `/usr/share/nginx` in Debian
 */
export function buildModel(tree: Tree, prefix = '/usr/share/nginx'): Model {
  const directives = inBytes(tree.directives);
  const http = directives.flatMap((each) => (each.name === 'http' ? (each.block ?? []) : [each]));
  // a file of sites-enabled leaves the types to nginx.conf
  const isPart = !directives.some(({ name }) => name === 'http');
  const lacksTypes = isPart || tree.missing.some(({ args }) => basename(args[0] ?? '') === 'mime.types');
  const nowhere = { path: '', isPattern: false };
  const outside = inheritSettings(
    defaultSettings(prefix, lacksTypes ? null : BUILT_IN_TYPES),
    http.filter(({ name }) => !MAIN.has(name)),
    nowhere,
    prefix,
  );
  const blocks = http.filter(({ name }) => name === 'server');
  const built = blocks.map((directive) => ({
    server: buildServer(directive, http, outside, prefix),
    directives: directive.block ?? [],
  }));
  return {
    prefix,
    servers: built.map(({ server }) => server),
    addresses: buildAddresses(built),
    upstreams: new Map(
      http.filter(({ name }) => name === 'upstream').map((each) => [each.args[0] ?? '', upstreamOf(each)]),
    ),
    variables: buildVariables(http),
  };
}

/** Directives of the main context. */
const MAIN: ReadonlySet<string> = new Set([
  ...['user', 'worker_processes', 'worker_rlimit_nofile', 'worker_cpu_affinity', 'worker_priority', 'pid', 'daemon'],
  ...['master_process', 'load_module', 'events', 'env', 'lock_file', 'pcre_jit', 'ssl_engine', 'thread_pool'],
  ...['worker_shutdown_timeout', 'worker_connections', 'multi_accept', 'use', 'stream', 'mail', 'debug_points'],
]);

function buildServer(directive: Directive, http: readonly Directive[], outside: Settings, prefix: string): Server {
  const block = directive.block ?? [];
  const settings = inheritSettings(outside, block, { path: '', isPattern: false }, prefix);
  const locations = block
    .filter(({ name }) => name === 'location')
    .map((each) => buildLocation(each, settings, prefix));
  const written = block.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
  const flag = (name: string, otherwise: boolean) => {
    const found = block.find((each) => each.name === name) ?? http.find((each) => each.name === name);
    return found === undefined ? otherwise : found.args[0] === 'on';
  };
  return {
    statement: directive,
    names: written.length === 0 ? [{ kind: 'name', name: '' }] : written.map(nameOf),
    name: (written[0] ?? '').startsWith('~') ? (written[0] ?? '') : (written[0] ?? '').toLowerCase().replace(/^\./, ''),
    mergesSlashes: flag('merge_slashes', true),
    acceptsUnderscores: flag('underscores_in_headers', false),
    keepsInvalidFields: !flag('ignore_invalid_headers', true),
    settings,
    handler: null,
    instructions: buildInstructions(block, null),
    tryFiles: tryFilesOf(block),
    locations,
    named: new Map(
      locations.filter(({ kind }) => kind === 'named').map((each): [string, Location] => [each.path, each]),
    ),
  };
}

function nameOf(written: string): ServerName {
  if (written.startsWith('~')) return { kind: 'pattern', pattern: parsePattern(written.slice(1), true) };
  return { kind: 'name', name: written.toLowerCase() };
}

function upstreamOf(directive: Directive): Upstream {
  const servers = (directive.block ?? []).filter(({ name, args }) => name === 'server' && !args.includes('down'));
  const primary = servers.filter(({ args }) => !args.includes('backup'));
  return {
    statement: directive,
    servers: (primary.length > 0 ? primary : servers).flatMap(({ args }) => addressesOf(args[0] ?? '')),
  };
}
