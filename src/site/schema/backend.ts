import * as z from 'zod';
import { BACKEND_FORM, BACKEND_MEANS } from '../../config/value.ts';
import { takes } from './definition.ts';
import { bool, table, text, whole } from './tools.ts';

/** A backend, or a service discovery. */
const source = text(
  new RegExp(
    `${BACKEND_FORM.source}|^(?:dns|srv|kubernetes)\\+(?:https?|h2c?|uwsgi|fastcgi|scgi)://[\\w./:-]+$|^file:.+$`,
  ),
  `${BACKEND_MEANS}, or a service discovery: dns+http://HOST:PORT, srv+http://NAME, kubernetes+http://NAMESPACE/SERVICE:PORT or file:PATH`,
);

/** A backend as a table. */
export const backendTable = table({
  url: source.describe(
    'The backend, or a service discovery: then weight and backup apply to every backend that it finds.',
  ),
  weight: whole(1, 100).default(1).describe('Share of the requests, relative to the other backends.'),
  backup: bool().default(false).describe('Whether the backend gets requests only while no other backend is available.'),
});

/** One of the backends of a route. */
export const proxiedBackend = z.union(
  [source.transform((url) => ({ url, weight: 1, backup: false })), backendTable],
  `must be ${takes(source)}, or a table with one of them as url`,
);
