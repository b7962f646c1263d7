import { templateOfPlain } from '../../placeholders/template.ts';
import type { ConfigBuilder } from '../config-builder.ts';
import type { NginxContext, Server } from './context.ts';
import { expressionOf, literal } from './expression.ts';
import { isTarget } from './forms.ts';
import { hasVariables, type TemplateOptions, templateOf } from './template.ts';
import type { Directive } from './tree.ts';

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A `return`: a status with a text or a target. */
export function readReturn({ args }: Directive): { readonly status: number; readonly text: string } {
  const [first = '', second] = args;
  if (!/^\d{3}$/.test(first)) return { status: 302, text: first };
  return { status: Number(first), text: second ?? '' };
}

/** Whether a directive redirects HTTP requests to HTTPS, with the same path and query, on the same host or on a named one. */
export function toHttps(directive: Directive): { readonly host: string; readonly port: number } | null {
  const target =
    directive.name === 'rewrite' && /^\^(?:\/?\(\.\*\)|\.\*)?\$?$|^\^?\/?\(?\.\*\)?\$?$/.test(directive.args[0] ?? '')
      ? (directive.args[1] ?? '')
      : directive.name === 'return' && STATUSES.has(readReturn(directive).status)
        ? readReturn(directive).text
        : '';
  const [, host, port = '443'] =
    /^https:\/\/([^/:]+?)(?::(\d{1,5}))?(?:\$request_uri\??|\$uri\$is_args\$args|\/?\$1\??)$/.exec(target) ?? [];
  return host === undefined ? null : { host, port: Number(port) };
}

/** Writes the answer of a `return`. */
export function writeReturn(
  route: ConfigBuilder,
  directive: Directive,
  { report }: NginxContext,
  options: TemplateOptions & { readonly pattern?: string | undefined; readonly type: string },
): void {
  const { status, text } = readReturn(directive);
  report.took(directive);
  if (STATUSES.has(status) && text !== '') {
    const filled = templateOf(text, options);
    if ('unknown' in filled || !isTarget(filled.text)) {
      report.lost(
        directive,
        'unknown' in filled ? `${filled.unknown} has no counterpart` : 'it is neither a path nor a URL',
      );
      respond(route, 404, '', directive);
      return;
    }
    const redirect = route.table('redirect');
    const uses = /\{\d\}/.test(filled.text) && options.pattern !== undefined;
    redirect.set('to', filled.text, directive);
    redirect.set('status', status, directive);
    if (uses) redirect.set('pattern', options.pattern ?? '', directive);
    return;
  }
  if (status === 444 || status < 200 || status > 599) {
    report.differs(directive, 'Viaduct answers every request; this one gets 404');
    respond(route, 404, '', directive);
    return;
  }
  const filled = templateOf(text, { serverName: options.serverName });
  const cannotFill = 'unknown' in filled || !TYPES_WITH_VALUES.test(options.type);
  if (hasVariables(text) && cannotFill) {
    report.differs(
      directive,
      'unknown' in filled ? `${filled.unknown} has no counterpart` : `a text of type ${options.type} has no values`,
    );
  }
  respond(route, status, cannotFill ? templateOfPlain(text) : filled.text, directive);
  if (text !== '') route.table('respond').set('content_type', options.type, directive);
}

/** Texts that may have values of clients, because Viaduct can make them safe there. */
const TYPES_WITH_VALUES = /^(?:text\/(?:plain|html|xml)|application\/(?:json|xml))(?:;|$)/;

function respond(route: ConfigBuilder, status: number, body: string, directive: Directive): void {
  const table = route.table('respond');
  table.set('status', status, directive);
  if (body !== '') table.set('body', body, directive);
}

/** A `rewrite`: its pattern, its target, and the status of a redirect. */
export interface Rewrite {
  readonly pattern: string;
  readonly to: string;
  /** Null for an internal rewrite. */
  readonly status: 301 | 302 | null;
  readonly flag: string;
}

/** Reads a `rewrite`. Returns null, and reports it, if it has no counterpart. */
export function readRewrite(directive: Directive, { report }: NginxContext, server: Server): Rewrite | null {
  const [pcre = '', replacement = '', flag = ''] = directive.args;
  const expression = expressionOf(pcre, false);
  if ('wrong' in expression) {
    report.lost(directive, expression.wrong);
    return null;
  }
  const isExternal = /^(?:https?:\/\/|\$scheme)/.test(replacement);
  const status = flag === 'permanent' ? 301 : flag === 'redirect' || isExternal ? 302 : null;
  const dropsQuery = replacement.endsWith('?');
  const filled = templateOf(dropsQuery ? replacement.slice(0, -1) : replacement, {
    serverName: server.names[0],
    groups: expression.groups,
  });
  if ('unknown' in filled || !isTarget(filled.text)) {
    report.lost(
      directive,
      'unknown' in filled ? `${filled.unknown} has no counterpart` : 'it does not lead to a path or URL',
    );
    return null;
  }
  report.took(directive);
  const { text } = filled;
  const keeps = dropsQuery || text.includes('{uri}') || (status === null && !text.includes('?'));
  const to = keeps
    ? dropsQuery && status === null && !text.includes('?')
      ? `${text}?`
      : text
    : `${text}${text.includes('?') ? '&' : '?'}{query}`;
  return { pattern: expression.source, to, status, flag };
}

/** A route's path for a prefix of nginx: the path and everything below it. */
export function prefixPattern(path: string): string {
  return `^${literal(path)}`;
}
