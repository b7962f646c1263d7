import { missing } from '../support/peers/program.ts';
import { NO_PACKAGES } from '../support/viaduct.ts';
import type { StartBackend } from './backends/backend.ts';
import { startGranian } from './backends/granian.ts';
import { startGunicorn } from './backends/gunicorn.ts';
import { startUwsgi } from './backends/uwsgi.ts';
import { startViaductApp } from './backends/viaduct.ts';
import { startWaitress } from './backends/waitress.ts';
import type { BackendName, FrontName } from './cells.ts';
import { startApache } from './fronts/apache.ts';
import type { StartFront } from './fronts/front.ts';
import { startHaproxy } from './fronts/haproxy.ts';
import { startLighttpd } from './fronts/lighttpd.ts';
import { startNginx } from './fronts/nginx.ts';
import { startViaductWeb } from './fronts/viaduct.ts';

/** A server of the matrix: how it is started, and what of it is not installed. */
interface Peer<Start> {
  readonly start: Start;
  readonly missing: string | false;
}

export const FRONT_PEERS: Readonly<Record<FrontName, Peer<StartFront>>> = {
  nginx: { start: startNginx, missing: missing('nginx') },
  Apache: { start: startApache, missing: missing('apache2') },
  lighttpd: { start: startLighttpd, missing: missing('lighttpd') },
  HAProxy: { start: startHaproxy, missing: missing('haproxy') },
  Viaduct: { start: startViaductWeb, missing: false },
};

export const BACKEND_PEERS: Readonly<Record<BackendName, Peer<StartBackend>>> = {
  gunicorn: { start: startGunicorn, missing: missing('gunicorn') },
  uWSGI: { start: startUwsgi, missing: missing('uwsgi') },
  waitress: { start: startWaitress, missing: missing('waitress-serve') },
  granian: { start: startGranian, missing: missing('granian') },
  Viaduct: { start: startViaductApp, missing: NO_PACKAGES },
};
