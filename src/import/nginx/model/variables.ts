import type { Exchange } from './exchange.ts';
import { pathOf, rootOf } from './files.ts';
import { mapValue } from './maps.ts';
import { type Pass, parsePass } from './parse-pass.ts';
import { UnknownMeaning, UnknownVariable } from './unknown-meaning.ts';

/**
 * The value of a variable. One that has no value is empty.
 *
 * @throws UnknownMeaning for a variable that the model does not know
 */
export function variable(exchange: Exchange, name: string): string {
  const own = exchange.around.model.variables.get(name);
  if (own?.kind === 'opaque') throw new UnknownVariable(name);
  if (own?.kind === 'map') {
    const value = exchange.assigned.get(name) ?? mapValue(exchange, own.map);
    if (!own.map.isVolatile) exchange.assigned.set(name, value);
    return value;
  }
  if (own?.kind === 'assigned' && name !== 'args') return exchange.assigned.get(name) ?? '';
  const core = CORE[name];
  if (core !== undefined) return core(exchange);
  if (name === 'http_authorization' && exchange.probe.authorized) return PASSWORD;
  if (name.startsWith('http_')) return fieldValue(exchange, name.slice(5));
  if (name.startsWith('arg_')) return argument(exchange.args, name.slice(4));
  if (name.startsWith('cookie_')) return cookie(exchange, name.slice(7));
  throw new UnknownVariable(name);
}

/** A probe that is authorized has a password, which is not among its fields. */
const PASSWORD = 'Basic dXNlcjpwYXNzd29yZA==';

const CORE: Readonly<Record<string, (exchange: Exchange) => string>> = {
  uri: ({ uri }) => uri,
  document_uri: ({ uri }) => uri,
  request_uri: ({ requestUri }) => requestUri,
  args: ({ args }) => args,
  query_string: ({ args }) => args,
  is_args: ({ args }) => (args === '' ? '' : '?'),
  host: ({ host, server }) => host || server.name,
  server_name: ({ server }) => server.name,
  server_port: ({ address }) => portOf(address.address),
  server_addr: serverAddress,
  server_protocol: ({ protocol }) => protocol,
  scheme: ({ probe }) => (probe.secure ? 'https' : 'http'),
  https: ({ probe }) => (probe.secure ? 'on' : ''),
  request_scheme: ({ probe }) => (probe.secure ? 'https' : 'http'),
  request_method: ({ method }) => method,
  request: ({ probe }) => `${probe.method} ${probe.target} HTTP/1.1`,
  remote_addr: ({ client }) => client,
  content_type: (exchange) => fieldValue(exchange, 'content_type'),
  content_length: (exchange) => fieldValue(exchange, 'content_length'),
  document_root: (exchange) => rootOf(exchange),
  request_filename: (exchange) => pathOf(exchange) ?? '',
  proxy_add_x_forwarded_for: (exchange) => {
    const before = fieldValue(exchange, 'x_forwarded_for');
    return before === '' ? exchange.client : `${before}, ${exchange.client}`;
  },
  proxy_host: (exchange) => backendOf(exchange)?.host ?? '',
  proxy_port: (exchange) => backendOf(exchange)?.port ?? '',
  fastcgi_script_name: (exchange) => {
    const { script } = splitForFastcgi(exchange);
    return script.endsWith('/') ? script + exchange.level.settings.fastcgiIndex : script;
  },
  fastcgi_path_info: (exchange) => splitForFastcgi(exchange).rest,
};

/** The script and the rest of the path. The request does not get the groups of the pattern. */
function splitForFastcgi({ uri, level }: Exchange): { readonly script: string; readonly rest: string } {
  const pattern = level.settings.fastcgiSplit;
  if (pattern === null) return { script: uri, rest: '' };
  if (pattern.regex === null) throw new UnknownMeaning(`fastcgi_split_path_info ${pattern.source}: ${pattern.wrong}`);
  const [, script = uri, rest = ''] = pattern.regex.exec(uri) ?? [];
  return { script, rest };
}

/** The variables that nginx makes for each request and that the model cannot know, such as `$request_id`, are not in the table. */
function serverAddress({ probe }: Exchange): string {
  if (probe.address.startsWith('unix:')) return probe.address;
  if (/^(?:0\.0\.0\.0|\[::\]):/.test(probe.address)) throw new UnknownVariable('server_addr');
  return probe.address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function backendOf(exchange: Exchange): Pass | null {
  const { handler } = exchange.level;
  return handler?.kind === 'backend' && handler.module === 'proxy' ? parsePass(exchange, handler) : null;
}

function portOf(address: string): string {
  return /:(\d+)$/.exec(address)?.[1] ?? '';
}

/** The first field of a name in which dashes are underscores. Cookie and X-Forwarded-For are joined. */
function fieldValue({ fields }: Exchange, name: string): string {
  const lower = name.toLowerCase();
  const isNamed = (each: string): boolean => each.length === lower.length && each.replaceAll('-', '_') === lower;
  const values = fields.filter(([each]) => isNamed(each)).map(([, value]) => value);
  if (name === 'cookie') return values.join('; ');
  if (name === 'x_forwarded_for') return values.join(', ');
  return values[0] ?? '';
}

/** The first argument of a name, as received. Names ignore case. */
function argument(args: string, name: string): string {
  const found = args.split('&').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}=`));
  return found?.slice(name.length + 1) ?? '';
}

function cookie(exchange: Exchange, name: string): string {
  const cookies = exchange.fields.filter(([each]) => each === 'cookie').flatMap(([, value]) => value.split(';'));
  const found = cookies
    .map((each) => each.trimStart())
    .find((each) => each.toLowerCase().startsWith(`${name}=`.toLowerCase()));
  return found?.slice(name.length + 1) ?? '';
}
