import type { Attack } from './attack.ts';
import { CGI_ATTACKS } from './cgi.ts';
import { HTTP1_ATTACKS } from './http1.ts';
import { HTTP2_ATTACKS } from './http2.ts';
import { LOCAL_ATTACKS } from './local.ts';

/** All attacks, by name. */
export const ATTACKS: readonly Attack[] = [...HTTP1_ATTACKS, ...HTTP2_ATTACKS, ...CGI_ATTACKS, ...LOCAL_ATTACKS];
