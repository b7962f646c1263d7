import * as z from 'zod';
import { TRUSTED_VALUES } from '../../listen/trust/trusted-values.ts';
import { application, hooks } from './application.ts';
import { named, schedule, sidecar } from './beside.ts';
import { siteFeatures } from './features.ts';
import { maps } from './map.ts';
import { reload } from './reload.ts';
import { route, satisfy } from './route.ts';
import { tls } from './tls.ts';
import { listOf, oneOf, PARSING, table, text, words } from './tools.ts';
import { trace } from './trace.ts';

/** The keys of a settings file that are not settings: where requests go, and the handlers that they pass. */
export const siteSchema = table({
  apps: z
    .record(text(/^[A-Za-z0-9_-]+$/, 'of letters, digits, - and _'), application, 'must be a table')
    .default({})
    .describe('Applications that routes name, each in a table [apps.NAME].'),
  hooks: hooks
    .optional()
    .describe('Functions of the main application to call at moments in the life of its processes.'),
  map: maps.default({}).describe('Maps: texts for the values of a text with placeholders, each in a table [map.NAME].'),
  process: named(sidecar)
    .default([])
    .describe('Programs that run beside the application, as long as the server, each in a table [[process]].'),
  schedule: named(schedule).default([]).describe('Commands that run at certain times, each in a table [[schedule]].'),
  reload: reload.optional().describe('How a new release proves itself at a reload, and a file that starts one.'),
  route: z.array(route, 'must be a list of tables').default([]).describe('Routes, each in a table [[route]].'),
  trace: trace.optional().describe('Which requests are recorded, and how many records are kept.'),
  tls: tls.optional().describe('Certificates for https.'),
  trusted_proxy_values: listOf(
    text(
      /^(?:address|scheme|host|port|prefix|user|[Xx]-[Ff]orwarded-[A-Za-z0-9-]+)$/,
      'address, scheme, host, port, prefix, user, or the name of a field X-Forwarded-*',
    ),
  )
    .prefault([...TRUSTED_VALUES])
    .describe('What trusted proxies may state about a request. Their fields about everything else are removed.'),
  trusted_proxy_fields: oneOf(['any', 'x-forwarded', 'forwarded'])
    .default('any')
    .describe('The fields (headers) that trusted proxies write. The others are removed.'),
  sendfile: listOf(words('the path of a directory'))
    .prefault([])
    .describe('Directories with files that an application may name in X-Sendfile.'),
  satisfy: satisfy
    .default('all')
    .describe('Whether requests must pass all of access, basic_auth and forward_auth, or any of them.'),
  ...siteFeatures,
});

/** The site as a file has it. */
export type SiteInput = z.input<typeof siteSchema>;
/** The parsed site: with defaults, every list as an array, times in milliseconds. */
export type Site = z.output<typeof siteSchema>;
export type RouteConfig = Site['route'][number];
export type ApplicationConfig = Site['apps'][string];
export type SidecarConfig = Site['process'][number];
export type ScheduleConfig = Site['schedule'][number];
export type ReloadConfig = NonNullable<Site['reload']>;

/** Validates the keys of a site. */
export function parseSite(keys: object): z.ZodSafeParseResult<Site> {
  return siteSchema.safeParse(keys, PARSING);
}
