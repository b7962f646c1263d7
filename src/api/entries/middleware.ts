/**
 * `viaduct/middleware`: middleware for applications in both languages, and what middleware of your own needs. `compose` in `viaduct` puts several around
 * an application.
 *
 * @module viaduct/middleware
 */
export { inputOf } from '../../wsgi/input-stream.ts';
export { type ConditionalAuthOptions, conditionalAuth } from '../../wsgi/middleware/conditional-auth.ts';
export { dispatcher } from '../../wsgi/middleware/dispatcher.ts';
export { type MethodOverrideOptions, methodOverride } from '../../wsgi/middleware/method-override.ts';
export { type RecorderOptions, type Recording, recorder } from '../../wsgi/middleware/recorder.ts';
export { type ReplayerOptions, replayer } from '../../wsgi/middleware/replayer.ts';
export { type RequestIdOptions, requestId } from '../../wsgi/middleware/request-id.ts';
export { type TimingOptions, timing } from '../../wsgi/middleware/timing.ts';
export {
  type ResponseStart,
  type Transform,
  type TransformedResponse,
  transformResponse,
} from '../../wsgi/middleware/transform-response.ts';
export { type ValidatorOptions, validator } from '../../wsgi/validator/validator.ts';
export { VIOLATIONS, type Violation, type ViolationName, type ViolationSide } from '../../wsgi/validator/violation.ts';
