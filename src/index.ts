export { type CreateServerOptions, createServer, type ViaductServer } from './api/create-server.ts';
export { type PythonApplication, type PythonAppOptions, pythonApp } from './api/python-app.ts';
export { type ServeStaticOptions, serveStatic } from './api/serve-static.ts';
export { type Config, defineConfig } from './define-config.ts';
export { ViaductError } from './errors.ts';
export type { Breach, BreachName, BreachSide } from './gateway/validator/breach.ts';
export type { Log } from './log/log.ts';
export type { NodeListener } from './wsgi/adapters/embedded-server.ts';
export type { FetchFunction } from './wsgi/adapters/fetch-from.ts';
export type { FetchInfo } from './wsgi/adapters/fetch-request.ts';
export type { MountOptions } from './wsgi/adapters/framework-server.ts';
export { type FetchContext, type FetchHandler, fromFetch } from './wsgi/adapters/from-fetch.ts';
export { fromNode } from './wsgi/adapters/from-node.ts';
export { type FetchApplication, toFetch } from './wsgi/adapters/to-fetch.ts';
export { type NodeHandler, toNode } from './wsgi/adapters/to-node.ts';
export { compose } from './wsgi/compose.ts';
export type {
  Application,
  Client,
  EarlyHints,
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
} from './wsgi/contract.ts';
export { inputOf } from './wsgi/input-stream.ts';
export { type ConditionalAuthOptions, conditionalAuth } from './wsgi/middleware/conditional-auth.ts';
export { dispatcher } from './wsgi/middleware/dispatcher.ts';
export { type MethodOverrideOptions, methodOverride } from './wsgi/middleware/method-override.ts';
export { type RecorderOptions, type Recording, recorder } from './wsgi/middleware/recorder.ts';
export { type ReplayerOptions, replayer } from './wsgi/middleware/replayer.ts';
export { type RequestIdOptions, requestId } from './wsgi/middleware/request-id.ts';
export { type TimingOptions, timing } from './wsgi/middleware/timing.ts';
export {
  type ResponseStart,
  type Transform,
  type TransformedResponse,
  transformResponse,
} from './wsgi/middleware/transform-response.ts';
export { type ValidatorOptions, validator } from './wsgi/validator/validator.ts';
export { pathText } from './wsgi/variables.ts';
