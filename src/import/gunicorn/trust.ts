import { SETTINGS } from '../../config/settings.ts';
import { parseValue } from '../../config/value.ts';
import type { ConfigBuilder } from '../config-builder.ts';
import type { Statement } from '../import-report.ts';
import type { WsgiContext } from '../wsgi-config-builder.ts';

/** Front-end proxies whose fields count, or that send the header of the PROXY protocol, or speak uwsgi; `*` is everybody. */
export function writeTrusted(value: unknown, from: Statement, { builder, report, output }: WsgiContext): void {
  const all = (Array.isArray(value) ? value : String(value).split(','))
    .map((one) => String(one).trim())
    .filter((one) => one !== '')
    .map((one) => (one === '*' ? 'all' : one));
  const problem = all.map((one) => parseValue(SETTINGS.trustedProxies, one, output)).find((one) => 'problem' in one);
  if (problem !== undefined && 'problem' in problem) {
    report.lost(from, `each proxy ${problem.problem}`);
    return;
  }
  report.took(from);
  const before = (builder.get('trusted_proxies') ?? []) as readonly string[];
  if (before.length > 0 && [...all].sort().join() !== [...before].sort().join())
    report.differs(from, 'trusted_proxies is one list: what one of these proxies may say, all may');
  for (const one of all) builder.push('trusted_proxies', one, from);
  if (all.includes('all')) {
    builder.set('trusted_proxy_values', 'scheme', from); // with `address`, every client could claim any address
    report.differs(from, 'name the proxies in trusted_proxies, and their X-Forwarded-For counts too');
  }
  const isLocal = all.every((one) => one === '127.0.0.1' || one === '::1');
  if (!isLocal) builder.push('trusted_proxies', 'unix', from);
}

/** What gunicorn trusts about the scheme without this setting. */
const SCHEME_FIELDS = 'X-FORWARDED-PROTO=https X-FORWARDED-PROTOCOL=ssl X-FORWARDED-SSL=on';

/** Viaduct trusts X-Forwarded-Proto and Forwarded only. With another field, requests over https would get the scheme http. */
export function writeSchemeFields(value: unknown, from: Statement, { builder, report }: WsgiContext): void {
  const pairs = Object.entries((value ?? {}) as Record<string, unknown>).map(
    ([name, is]) => `${name.toUpperCase()}=${String(is)}`,
  );
  const [usual, ...others] = ['X-FORWARDED-PROTO=https', ...pairs.filter((pair) => pair !== 'X-FORWARDED-PROTO=https')];
  if (pairs.sort().join(' ') === SCHEME_FIELDS)
    report.differs(
      from,
      'Viaduct reads X-Forwarded-Proto and Forwarded, and not X-Forwarded-Protocol and X-Forwarded-Ssl',
    );
  else if (others.length === 0 && pairs.length > 0)
    report.needless(from, 'X-Forwarded-Proto and Forwarded from trusted proxies are used');
  else {
    const names = others.map((pair) => pair.replace(/=.*/s, '')).join(', ');
    const isUsual = pairs.includes(usual as string);
    if (!isUsual) trustLess(builder, from);
    report.danger(
      from,
      names === ''
        ? 'gunicorn trusts no field about the scheme; trusted_proxy_values no longer has the scheme'
        : `requests that a proxy marks with ${names} would get the scheme http: let it set X-Forwarded-Proto${isUsual ? '' : ', and add "scheme" to trusted_proxy_values'}`,
    );
  }
}

/** gunicorn does not trust X-Forwarded-Proto, which a client could have sent. */
function trustLess(builder: ConfigBuilder, from: Statement): void {
  if (builder.get('trusted_proxy_values') === 'scheme') {
    builder.values.delete('trusted_proxy_values');
    builder.set('trusted_proxies', [], from);
  } else builder.set('trusted_proxy_values', 'address', from);
}
