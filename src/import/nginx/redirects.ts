import type { Draft } from '../config-builder.ts';
import type { NginxContext, Server } from './context.ts';
import { expressionOf, literal } from './expression.ts';
import { isTarget } from './forms.ts';
import { hasVariables, type TemplateOptions, templateOf } from './template.ts';
import type { Directive } from './tree.ts';

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What `return` says: a status with a text, or with where to. */
export function readReturn({ args }: Directive): { readonly status: number; readonly text: string } {
  const [first = '', second] = args;
  if (!/^\d{3}$/.test(first)) return { status: 302, text: first };
  return { status: Number(first), text: second ?? '' };
}

/** Whether a directive sends what came by http to https, with the same host, path and query, or to the host that is given. */
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

/** Writes what `return` answers. */
export function writeReturn(
  route: Draft,
  directive: Directive,
  { ledger }: NginxContext,
  options: TemplateOptions & { readonly pattern?: string | undefined; readonly type: string },
): void {
  const { status, text } = readReturn(directive);
  ledger.took(directive);
  if (STATUSES.has(status) && text !== '') {
    const filled = templateOf(text, options);
    if ('unknown' in filled || !isTarget(filled.text)) {
      ledger.lost(
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
    ledger.differs(directive, 'Viaduct answers every request; this one gets 404');
    respond(route, 404, '', directive);
    return;
  }
  if (hasVariables(text)) {
    ledger.differs(directive, 'the text of an answer has no variables here');
  }
  respond(route, status, text, directive);
  if (text !== '') route.table('respond').set('content_type', options.type, directive);
}

function respond(route: Draft, status: number, body: string, directive: Directive): void {
  const table = route.table('respond');
  table.set('status', status, directive);
  if (body !== '') table.set('body', body, directive);
}

/** A `rewrite`: its pattern, where it leads, and whether the client is told. */
export interface Rewrite {
  readonly pattern: string;
  readonly to: string;
  /** Null for one within the server. */
  readonly status: 301 | 302 | null;
  readonly flag: string;
}

/** Reads a `rewrite`; null, and told, for one that has no counterpart. */
export function readRewrite(directive: Directive, { ledger }: NginxContext, server: Server): Rewrite | null {
  const [pcre = '', replacement = '', flag = ''] = directive.args;
  const expression = expressionOf(pcre, false);
  if ('wrong' in expression) {
    ledger.lost(directive, expression.wrong);
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
    ledger.lost(
      directive,
      'unknown' in filled ? `${filled.unknown} has no counterpart` : 'it does not lead to a path or URL',
    );
    return null;
  }
  ledger.took(directive);
  const { text } = filled;
  const keeps = dropsQuery || text.includes('{uri}') || (status === null && !text.includes('?'));
  const to = keeps
    ? dropsQuery && status === null && !text.includes('?')
      ? `${text}?`
      : text
    : `${text}${text.includes('?') ? '&' : '?'}{query}`;
  return { pattern: expression.source, to, status, flag };
}

/** A route's pattern for a path and what is below it, as a prefix of nginx has it. */
export function prefixPattern(path: string): string {
  return `^${literal(path)}`;
}
