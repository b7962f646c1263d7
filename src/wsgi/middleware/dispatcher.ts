import type { Application, Environ } from '../contract.ts';
import type { ListenerEnviron } from '../variables.ts';

/**
 * Makes one application of several, each below a prefix. The longest prefix that matches wins, and `/` is for all other paths. The prefix moves from PATH_INFO
 * to SCRIPT_NAME (PEP 3333), so each application makes correct links. A path that no prefix matches is answered with 404. Several slashes in a row count as one,
 * and if only the path with one slash has the prefix, the application receives it so. `start` and `close` of the result start and close all applications.
 *
 * @param mounts applications by their prefixes, without a final slash: `{ '/admin': django, '/': site }`
 * @throws TypeError for a prefix that does not start with a slash, or ends with one
 */
export function dispatcher(mounts: Readonly<Record<string, Application>>): Application {
  const prefixes = Object.keys(mounts).sort((a, b) => b.length - a.length);
  for (const prefix of prefixes) {
    if (/^\/(?:.*[^/])?$/.test(prefix)) continue;
    throw new TypeError(
      `Cannot mount at ${JSON.stringify(prefix)}: a prefix must start with a slash and not end with one`,
    );
  }
  const all = [...new Set(Object.values(mounts))];
  const dispatch: Application = (environ, startResponse) => {
    const { PATH_INFO } = environ;
    const merged = PATH_INFO.includes('//') ? PATH_INFO.replace(/\/{2,}/g, '/') : PATH_INFO;
    const prefix = prefixes.find((candidate) => isBelow(candidate, merged));
    if (prefix === undefined) {
      startResponse('404 Not Found', [['Content-Type', 'text/plain; charset=utf-8']]);
      return [Buffer.from('Not Found\n')];
    }
    if (!isBelow(prefix, PATH_INFO)) environ.PATH_INFO = merged;
    return (mounts[prefix] as Application)(moved(environ, prefix), startResponse);
  };
  return Object.assign(dispatch, {
    async start(listeners?: readonly ListenerEnviron[]) {
      await Promise.all(all.map((application) => application.start?.(listeners)));
    },
    async close() {
      await Promise.all(all.map((application) => application.close?.()));
    },
  });
}

function isBelow(prefix: string, path: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function moved(environ: Environ, prefix: string): Environ {
  if (prefix === '/') return environ;
  environ.SCRIPT_NAME += prefix;
  environ.PATH_INFO = environ.PATH_INFO.slice(prefix.length);
  return environ;
}
