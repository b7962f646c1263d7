import type { Location, NginxContext, Server } from './context.ts';
import { toHttps } from './redirects.ts';
import { Scope } from './scope.ts';
import type { Directive } from './tree.ts';

/** A server without TLS that redirects to HTTPS. It needs no routes of its own. */
export interface Folded {
  readonly from: readonly Directive[];
  readonly port: number;
  /** The host of the redirect, if it is not the requested one. */
  readonly host: string | null;
  /** Locations that still answer over HTTP, such as those for certificates. */
  readonly locations: readonly Location[];
}

/** How a server redirects to HTTPS; null if it does not. */
export function readFolded(server: Server, { report }: NginxContext): Folded | null {
  const { scope, locations } = server;
  const [whole] = server.isSecure
    ? []
    : [...scope.own('return'), ...scope.own('rewrite')].filter((one) => toHttps(one) !== null);
  const root = server.isSecure
    ? undefined
    : locations.find(({ kind, path }) => path === '/' && (kind === 'prefix' || kind === 'first'));
  const [atRoot] = root === undefined ? [] : root.scope.directives.filter((one) => toHttps(one) !== null);
  const conditional = conditionsOf(scope, report);
  const directive = whole ?? atRoot ?? conditional[0];
  if (directive === undefined) return null;
  const { host, port } = toHttps(directive) as { host: string; port: number };
  const isSame = /^\$(?:host|http_host|server_name)$/.test(host) || server.names.includes(host);
  for (const one of [directive, ...conditional]) report.took(one);
  if (root !== undefined && !server.isSecure) report.took(root.directive);
  // certbot puts the answer for unknown hosts after its conditions
  if (!server.isSecure && conditional.length > 0) scope.own('return');
  return {
    from: conditional.length > 0 && whole === undefined ? conditional : [directive],
    port,
    host: isSame ? null : host,
    locations: whole === undefined || whole.name === 'rewrite' ? locations.filter((one) => one !== root) : [],
  };
}

/** `if ($scheme = http) { return 301 https://…; }` and the same for a host, as certbot writes it. */
function conditionsOf(scope: Scope, report: NginxContext['report']): Directive[] {
  return scope.directives
    .filter(({ name }) => name === 'if')
    .flatMap((condition) => {
      const text = condition.args.join(' ').replace(/^\(\s*|\s*\)$/g, '');
      const isMeant =
        /^\$(?:scheme\s*=\s*"?http"?|scheme\s*!=\s*"?https"?|host\s*=\s*\S+|https\s*=\s*""?|https\s*!=\s*"?on"?|https = )$/.test(
          text,
        );
      const [inner] = new Scope(condition.block ?? [], scope, report).directives.filter((one) => toHttps(one) !== null);
      if (!isMeant || inner === undefined) return [];
      report.took(condition);
      return [inner];
    });
}
