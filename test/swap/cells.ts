/** What a front and an application server speak with each other. */
export type Protocol = 'http' | 'uwsgi' | 'fastcgi' | 'scgi';
export type Framework = 'Django' | 'Flask' | 'WSGI' | 'TypeScript';
export type FrontName = 'nginx' | 'Apache' | 'lighttpd' | 'HAProxy' | 'Viaduct';
export type BackendName = 'gunicorn' | 'uWSGI' | 'waitress' | 'granian' | 'Viaduct';

/** What each front can speak. */
export const FRONT_PROTOCOLS: Readonly<Record<FrontName, readonly Protocol[]>> = {
  nginx: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  Apache: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  lighttpd: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  HAProxy: ['http', 'fastcgi'],
  Viaduct: ['http', 'uwsgi', 'fastcgi', 'scgi'],
};

/** What each application server can speak. */
export const BACKEND_PROTOCOLS: Readonly<Record<BackendName, readonly Protocol[]>> = {
  gunicorn: ['http', 'uwsgi'],
  uWSGI: ['http', 'uwsgi', 'fastcgi', 'scgi'],
  waitress: ['http'],
  granian: ['http'],
  Viaduct: ['http', 'uwsgi', 'fastcgi', 'scgi'],
};

export const FRONTS = Object.keys(FRONT_PROTOCOLS) as readonly FrontName[];
export const BACKENDS = Object.keys(BACKEND_PROTOCOLS) as readonly BackendName[];
export const FRAMEWORKS: readonly Framework[] = ['Django', 'Flask', 'WSGI', 'TypeScript'];

/** One combination. */
export interface Cell {
  readonly front: FrontName;
  readonly backend: BackendName;
  readonly protocol: Protocol;
  readonly framework: Framework;
}

/** Whether the application server can run it. */
export function runs(backend: BackendName, framework: Framework): boolean {
  return framework !== 'TypeScript' || backend === 'Viaduct';
}

/** All combinations that there are behind a front. */
export function cellsOf(front: FrontName): Cell[] {
  return BACKENDS.flatMap((backend) =>
    FRONT_PROTOCOLS[front]
      .filter((protocol) => BACKEND_PROTOCOLS[backend].includes(protocol))
      .flatMap((protocol) =>
        FRAMEWORKS.filter((framework) => runs(backend, framework)).map((framework) => ({
          front,
          backend,
          protocol,
          framework,
        })),
      ),
  );
}
