export { type Config, defineConfig } from './define-config.ts';
export { ViaductError } from './errors.ts';
export type { FetchFunction } from './gateway/adapters/fetch-from.ts';
export type { FetchInfo } from './gateway/adapters/fetch-request.ts';
export type { MountOptions } from './gateway/adapters/foreign-server.ts';
export { type FetchContext, type FetchHandler, fromFetch } from './gateway/adapters/from-fetch.ts';
export { fromNode } from './gateway/adapters/from-node.ts';
export type { NodeListener } from './gateway/adapters/inner-server.ts';
export { type FetchApplication, toFetch } from './gateway/adapters/to-fetch.ts';
export { type NodeHandler, toNode } from './gateway/adapters/to-node.ts';
export { compose } from './gateway/compose.ts';
export type {
  Application,
  Client,
  Environ,
  ErrorStream,
  ExtensionKey,
  FileHandleLike,
  FileLike,
  FileWrapper,
  Header,
  HeaderKey,
  InputStream,
  Middleware,
  ResponseBody,
  StartResponse,
  Write,
} from './gateway/contract.ts';
export { inputOf } from './gateway/input-stream.ts';
export { pathText } from './gateway/variables.ts';
export { type CreateServerOptions, createServer, type ViaductServer } from './library/create-server.ts';
export { type PythonApplication, type PythonAppOptions, pythonApp } from './library/python-app.ts';
export { type ServeStaticOptions, serveStatic } from './library/serve-static.ts';
export type { Log } from './observe/log.ts';
