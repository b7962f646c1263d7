/** Keys of a settings file that belong to the site and not to the settings. The schema, which is only loaded when there are any, has the same. */
export const SITE_KEYS: ReadonlySet<string> = new Set([
  ...['apps', 'route', 'tls', 'trusted_proxies', 'trusted_proxy_fields'],
  ...['headers', 'security_headers', 'compression', 'https_redirect', 'canonical_host', 'access', 'rate_limit'],
  ...['request_limit', 'cors', 'basic_auth', 'forward_auth', 'error_pages', 'maintenance', 'rewrite', 'sendfile'],
]);

/** What a settings file holds of the site: the value of each key, and where it and what is in it stand. */
export type SiteEntries = ReadonlyMap<string, SiteEntry>;

export interface SiteEntry {
  readonly value: unknown;
  readonly place: Place;
  /** Absolute: where relative paths start. */
  readonly base: string;
}

/** Where a key stands: `viaduct.toml:14`. */
export type Place = (keys: readonly string[]) => string;

/** Where a key stands, in whichever file has it. */
export function placeOf(site: SiteEntries): Place {
  return (keys) => site.get(keys[0] ?? '')?.place(keys) ?? '';
}

/** `route[2].rate_limit.burst`, for people. */
export function keyName(keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((name, key) => {
    if (typeof key === 'number' || /^\d+$/.test(String(key))) return `${name}[${Number(key) + 1}]`;
    return name === '' ? String(key) : `${name}.${String(key)}`;
  }, '');
}
