import type { Value } from '../config-builder.ts';
import { expressionOf } from '../nginx/expression.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';
import type { Option } from './option.ts';

/** Actions that keep requests out. */
const GUARD = /^(?:break|basicauth|basicauth-next|ldapauth|radius|spnego|seturi403|return|limit)\b/;

export function isRoute({ name }: Option): boolean {
  return /^(?:route|final-route|error-route|response-route)(?:-|$)/.test(name);
}

/**
 * Writes the internal routes of uWSGI: redirects and refusals by path. What keeps requests out in another way cannot be carried over, so it is
 * a dangerous difference.
 */
export function writeRoutes(options: readonly Option[], context: WsgiContext): void {
  const all = options.filter(isRoute);
  const jumps = all.some(({ name, value }) => name === 'route-label' || /(?:^|\s)(?:goto|last):/.test(value));
  for (const option of all) {
    const [, regex = '', action = ''] = /^(\S+)\s+(\S.*)$/s.exec(option.value) ?? [];
    const pattern = expressionOf(regex, false);
    const isByPath = /^route(?:-uri)?$/.test(option.name) && !('wrong' in pattern) && !jumps;
    if (!isByPath || !writeRoute(option, pattern.source, action, context)) tell(option, action, context);
  }
}

function tell(option: Option, action: string, { report }: WsgiContext): void {
  if (GUARD.test(action) || GUARD.test(option.value))
    report.danger(
      option,
      'it keeps requests out, and has no counterpart: write a route with access, basic_auth or respond',
    );
  else report.lost(option, 'write a route');
}

function writeRoute(option: Option, source: string, action: string, { builder, report }: WsgiContext): boolean {
  const [, kind = '', argument = ''] = /^([\w-]+):(.*)$/s.exec(action) ?? [];
  const hosts = (builder.lists.get('route') ?? []).flatMap((one) => one.get('host') ?? []);
  const write = (key: string, values: Readonly<Record<string, Value>>): void => {
    report.took(option);
    // routes of a host win over those without one
    for (const host of new Set([null, ...hosts])) {
      const one = builder.append('route');
      if (host !== null) one.set('host', host, option);
      one.set('path_pattern', source, option);
      if (key === 'access') one.set('app', 'main', option);
      for (const [name, value] of Object.entries(values)) one.table(key).set(name, value, option);
    }
  };
  if (/^redirect(?:-30[1278])?$/.test(kind) && !/[{}]|\$\{/.test(argument)) {
    const to = argument.replace(/\$(\d)/g, '{$1}');
    write('redirect', {
      ...(to === argument ? {} : { pattern: source, decoded: true }),
      to,
      status: Number(/\d+$/.exec(kind)?.[0] ?? 302),
    });
    return true;
  }
  const status = Number(/^[345]\d\d/.exec(argument)?.[0]);
  if (kind === 'break' && status >= 400) {
    write('respond', { status });
    return true;
  }
  if (kind !== 'basicauth' && kind !== 'break') return false;
  write('access', { deny: ['all'] });
  report.closed(option, 'nobody may come in: write basic_auth, or remove "deny"');
  return true;
}
