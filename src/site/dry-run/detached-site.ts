import { pbkdf2Sync } from 'node:crypto';
import { resolve } from 'node:path';
import { mapValues } from '../../handlers/options.ts';
import type { RouteConfig, Site } from '../schema/site.ts';
import type { DiskImage } from './disk-image.ts';

const USER = 'dry-run';
const PASSWORD = 'dry-run';
/** A hash in Django's form that is fast to verify, because it protects nothing. */
const HASH = `pbkdf2_sha256$1$dry$${pbkdf2Sync(PASSWORD, 'dry', 1, 32, 'sha256').toString('base64')}`;

/** The value of the field with which a client shows that it knows the password. */
export const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

/**
 * `site` without what it takes from this machine: its directories are those of `image`, the users of its password files are one user with
 * the password of `AUTHORIZATION`. Nothing is counted, so that many requests at once are as one.
 */
export function detached(site: Site, image: DiskImage, baseOf: (key: string) => string): Site {
  return { ...site, ...features(site, baseOf('error_pages')), route: site.route.map(route) };

  function route(config: RouteConfig): RouteConfig {
    const { tls_ca: _ca, sticky: _sticky, health: _health, ...options } = config.proxy_options;
    return {
      ...config,
      ...features(config, baseOf('route')),
      static: config.static.map((path) => image.place(resolve(baseOf('route'), path))),
      proxy_options: options,
    };
  }

  /** The features that depend on files or on other requests. */
  function features({ basic_auth: auth, error_pages: errors }: Pick<Site, 'basic_auth' | 'error_pages'>, base: string) {
    return {
      basic_auth: auth && { ...auth, file: undefined, users: { [USER]: HASH } },
      error_pages: errors && { ...errors, pages: mapValues(errors.pages, (path) => image.place(resolve(base, path))) },
      rate_limit: undefined,
      request_limit: undefined,
    };
  }
}
