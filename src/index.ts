/**
 * `viaduct`: servers, Python applications, and the contract of applications and middleware (PEP 3333). More is in `viaduct/middleware`, `viaduct/handlers`,
 * `viaduct/adapters` and `viaduct/config`.
 *
 * @module viaduct
 */
export type { Config } from './api/config/config.ts';
export { defineConfig } from './api/config/define-config.ts';
export { createServer } from './api/create-server.ts';
export { type PythonApplication, type PythonAppOptions, type PythonProject, pythonApp } from './api/python-app.ts';
export {
  type ServeApplicationOptions,
  type ServeCommonOptions,
  type ServeFetchOptions,
  type ServeOptions,
  type ServePythonOptions,
  serve,
} from './api/serve.ts';
export { type ServeStaticOptions, serveStatic } from './api/serve-static.ts';
export type { CreateServerOptions } from './api/server-options.ts';
export type { ViaductServer } from './api/viaduct-server.ts';
export { type ErrorCode, ViaductError } from './errors.ts';
export type { Fields, Log } from './log/log.ts';
export type { StaticMount } from './static/mount.ts';
export type { FetchFunction } from './wsgi/adapters/fetch-from.ts';
export type { FetchContext, FetchHandler } from './wsgi/adapters/from-fetch.ts';
export { compose } from './wsgi/compose.ts';
export type {
  Application,
  Client,
  Closeable,
  EarlyHints,
  Environ,
  ErrorStream,
  ExtensionKey,
  FileHandleLike,
  FileLike,
  FileRead,
  FileStatus,
  FileWrapper,
  Header,
  HeaderKey,
  InputStream,
  Middleware,
  ResponseBody,
  StartResponse,
  Write,
} from './wsgi/contract.ts';
export { type ListenerEnviron, pathText } from './wsgi/variables.ts';
