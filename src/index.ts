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
} from './gateway/contract.ts';
export { inputOf } from './gateway/input-stream.ts';
export { type ConditionalAuthOptions, conditionalAuth } from './gateway/middleware/conditional-auth.ts';
export { dispatcher } from './gateway/middleware/dispatcher.ts';
export { type MethodOverrideOptions, methodOverride } from './gateway/middleware/method-override.ts';
export { type RecorderOptions, type Recording, recorder } from './gateway/middleware/recorder.ts';
export { type ReplayerOptions, replayer } from './gateway/middleware/replayer.ts';
export { type RequestIdOptions, requestId } from './gateway/middleware/request-id.ts';
export { type TimingOptions, timing } from './gateway/middleware/timing.ts';
export {
  type ResponseStart,
  type Transform,
  type TransformedResponse,
  transformResponse,
} from './gateway/middleware/transform-response.ts';
export type { Breach, BreachName, BreachSide } from './gateway/validator/breach.ts';
export { type ValidatorOptions, validator } from './gateway/validator/validator.ts';
export { pathText } from './gateway/variables.ts';
export { type CreateServerOptions, createServer, type ViaductServer } from './library/create-server.ts';
export { type PythonApplication, type PythonAppOptions, pythonApp } from './library/python-app.ts';
export { type ServeStaticOptions, serveStatic } from './library/serve-static.ts';
export type { Log } from './observe/log.ts';
