/**
 * `viaduct/handlers`: the handlers of the web server, for programs. `handlerMiddleware` puts one around an application. A handler of your own is a function of
 * the type `Handler`.
 *
 * @module viaduct/handlers
 */
export { type AddressListOptions, addressList } from '../../handlers/auth/address-list.ts';
export { type BasicAuthOptions, basicAuth } from '../../handlers/auth/basic-auth.ts';
export {
  type AuthAnswer,
  type AuthQuestion,
  type ForwardAuthOptions,
  forwardAuth,
} from '../../handlers/auth/forward-auth.ts';
export { readHtpasswd } from '../../handlers/auth/htpasswd.ts';
export { hashPassword } from '../../handlers/auth/passwords.ts';
export { type AccessCheck, satisfyAny } from '../../handlers/auth/satisfy-any.ts';
export type { Coding } from '../../handlers/compression/codings.ts';
export { type CompressionOptions, compression } from '../../handlers/compression/compression.ts';
export { type AccelRedirectOptions, accelRedirect } from '../../handlers/files/accel-redirect.ts';
export { type StaticOptions, staticFiles } from '../../handlers/files/static.ts';
export { type CorsOptions, cors } from '../../handlers/headers/cors.ts';
export type { FieldRules } from '../../handlers/headers/field-rules.ts';
export { type HeadersOptions, headers } from '../../handlers/headers/headers.ts';
export {
  type HstsOptions,
  type SecurityHeadersOptions,
  securityHeaders,
} from '../../handlers/headers/security-headers.ts';
export { type ServerTimingOptions, serverTiming } from '../../handlers/headers/server-timing.ts';
export { type BodyLimitOptions, bodyLimit } from '../../handlers/limits/body-limit.ts';
export type { LimitPer, LimitPerValue } from '../../handlers/limits/limit-key.ts';
export { type PriorityOptions, priority } from '../../handlers/limits/priority.ts';
export { type RateLimitOptions, rateLimit } from '../../handlers/limits/rate-limit.ts';
export { type RequestLimitOptions, requestLimit } from '../../handlers/limits/request-limit.ts';
export { type RequestTimeoutOptions, requestTimeout } from '../../handlers/limits/request-timeout.ts';
export { RunningRequests } from '../../handlers/limits/running-requests.ts';
export { TokenBuckets, type TokenBucketsOptions, type Tokens } from '../../handlers/limits/token-buckets.ts';
export { type ErrorPagesOptions, errorPages } from '../../handlers/pages/error-pages.ts';
export type { ErrorRoute } from '../../handlers/pages/error-route.ts';
export { type MaintenanceOptions, maintenance } from '../../handlers/pages/maintenance.ts';
export type { PageSource } from '../../handlers/pages/page.ts';
export { type CanonicalHostOptions, canonicalHost } from '../../handlers/rewriting/canonical-host.ts';
export { type HttpsRedirectOptions, httpsRedirect } from '../../handlers/rewriting/https-redirect.ts';
export { type MountOptions, mount } from '../../handlers/rewriting/mount.ts';
export type { QueryChanges } from '../../handlers/rewriting/query-change.ts';
export { type RedirectOptions, type RedirectStatus, redirect } from '../../handlers/rewriting/redirect.ts';
export { type RewriteOptions, rewrite } from '../../handlers/rewriting/rewrite.ts';
export { deriveRequest, type RequestChanges, requestField } from '../../http/derived-request.ts';
export { type Handler, type HandlerResult, mapResponse, type Next } from '../../http/handler.ts';
export type {
  BodySink,
  BodySource,
  CgiOrigin,
  ClientCertificate,
  FileBody,
  HeaderList,
  Later,
  Peer,
  Priority,
  Protocol,
  Request,
  RequestBody,
  RequestRecord,
  ResponseBody,
  TlsConnection,
} from '../../http/message.ts';
export { Response } from '../../http/response.ts';
export { changeResponse, type ResponseChanges, responseField, responseFields } from '../../http/response-fields.ts';
export type { MapOptions, MapPattern } from '../../placeholders/map-table.ts';
export { placeholders } from '../../placeholders/maps.ts';
export type { Placeholders } from '../../placeholders/placeholders.ts';
export type { CacheRule, Coding as PrecompressedCoding, StaticMount } from '../../static/mount.ts';
export { handlerMiddleware } from '../../wsgi/handler-middleware.ts';
