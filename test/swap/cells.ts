/** The protocols between a front-end proxy and an application server. */
export type Protocol = 'http' | 'uwsgi' | 'fastcgi' | 'scgi';
export type Framework = 'Django' | 'Flask' | 'WSGI' | 'TypeScript';
export type FrontEndName = 'nginx' | 'Apache' | 'lighttpd' | 'HAProxy' | 'Viaduct';
export type BackendName = 'gunicorn' | 'uWSGI' | 'waitress' | 'granian' | 'Viaduct';

/** The protocols of each front-end proxy. */
export const FRONT_END_PROTOCOLS: Readonly<Record<FrontEndName, readonly Protocol[]>> = {
  nginx: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  Apache: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  lighttpd: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  HAProxy: ['http', 'fastcgi'],
  Viaduct: ['http', 'uwsgi', 'fastcgi', 'scgi'],
};

/** The protocols of each application server. */
export const BACKEND_PROTOCOLS: Readonly<Record<BackendName, readonly Protocol[]>> = {
  gunicorn: ['http', 'uwsgi'],
  uWSGI: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  waitress: ['http'],
  granian: ['http'],
  Viaduct: ['http', 'uwsgi', 'fastcgi', 'scgi'],
};

export const FRONT_ENDS = Object.keys(FRONT_END_PROTOCOLS) as readonly FrontEndName[];
export const BACKENDS = Object.keys(BACKEND_PROTOCOLS) as readonly BackendName[];
export const FRAMEWORKS: readonly Framework[] = ['Django', 'Flask', 'WSGI', 'TypeScript'];

/** One combination of servers, protocol and framework. */
export interface Cell {
  readonly frontEnd: FrontEndName;
  readonly backend: BackendName;
  readonly protocol: Protocol;
  readonly framework: Framework;
}

/** Whether the application server can run the framework. */
export function runs(backend: BackendName, framework: Framework): boolean {
  return framework !== 'TypeScript' || backend === 'Viaduct';
}

/** All combinations with this front-end proxy. */
export function cellsOf(frontEnd: FrontEndName): Cell[] {
  return BACKENDS.flatMap((backend) =>
    FRONT_END_PROTOCOLS[frontEnd]
      .filter((protocol) => BACKEND_PROTOCOLS[backend].includes(protocol))
      .flatMap((protocol) =>
        FRAMEWORKS.filter((framework) => runs(backend, framework)).map((framework) => ({
          frontEnd,
          backend,
          protocol,
          framework,
        })),
      ),
  );
}
