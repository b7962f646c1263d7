import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from '../support/lifetime.ts';
import { startPeer } from '../support/peer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT, startViaduct } from '../support/viaduct.ts';
import { type Address, freeAddress, isListening } from '../swap/addresses.ts';

/** The directory of the application that all servers run. */
const HERE = join(ROOT, 'test/servers');

/** A server that an application may come from. */
export interface Server {
  /** Its name in `serve.py`, and of its page. */
  readonly name: string;
  /** Its name for people. */
  readonly title: string;
  /** The package that says its version; null for a part of Python, or of Debian. */
  readonly package: string | null;
  /** Whether it serves one connection at a time. */
  readonly isOneAtATime?: boolean;
}

export const SERVERS: readonly Server[] = [
  { name: 'gunicorn', title: 'gunicorn', package: 'gunicorn', isOneAtATime: true },
  { name: 'gunicorn-gthread', title: 'gunicorn with threads', package: 'gunicorn' },
  { name: 'uwsgi', title: 'uWSGI with http-socket', package: 'uwsgi' },
  { name: 'uwsgi-http', title: 'uWSGI with http', package: 'uwsgi' },
  { name: 'mod_wsgi', title: 'mod_wsgi', package: null },
  { name: 'waitress', title: 'waitress', package: 'waitress' },
  { name: 'granian', title: 'granian', package: 'granian' },
  { name: 'gevent', title: 'gevent.pywsgi', package: 'gevent' },
  { name: 'cheroot', title: 'cheroot', package: 'cheroot' },
  { name: 'bjoern', title: 'bjoern', package: 'bjoern' },
  { name: 'hypercorn', title: 'hypercorn', package: 'hypercorn' },
  { name: 'a2wsgi', title: 'a2wsgi on uvicorn', package: 'a2wsgi' },
  { name: 'twisted', title: 'Twisted', package: 'twisted' },
  { name: 'tornado', title: 'Tornado', package: 'tornado' },
  { name: 'werkzeug', title: 'the development server of Flask and Werkzeug', package: 'werkzeug' },
  { name: 'django', title: "Django's runserver", package: 'django' },
  { name: 'wsgiref', title: 'wsgiref', package: null, isOneAtATime: true },
];

/** Starts a server in an environment without the variables of this process. */
export async function startServer(t: Lifetime, { name }: Server): Promise<Address> {
  const address = freeAddress();
  const directory = temporaryDirectory(t);
  chmodSync(directory, 0o755);
  const clean = Object.fromEntries(Object.keys(process.env).map((key) => [key, '']));
  const env = { ...clean, PATH: process.env.PATH ?? '', SERVE_DIRECTORY: directory, PYTHONDONTWRITEBYTECODE: '1' };
  await startPeer(t, 'python', [join(HERE, 'serve.py'), name, address.host, `${address.port}`], {
    cwd: directory,
    env,
    ready: () => isListening(address),
  });
  return address;
}

/** Starts Viaduct with the same application. */
export async function startOurs(t: Lifetime): Promise<Address> {
  const address = freeAddress();
  const listen = `${address.host}:${address.port}`;
  // The recording has several workers. On a machine with one core there would be one.
  await startViaduct(t, ['probe:application', '--chdir', HERE, '--access-log', 'off', '--workers', '2'], { listen });
  return address;
}
