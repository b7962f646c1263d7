/**
 * `viaduct/adapters`: between applications and the two other forms that functions for Node have, `(req, res)` and `(request: Request) => Response`.
 *
 * @module viaduct/adapters
 */
export type { NodeListener } from '../../wsgi/adapters/embedded-server.ts';
export type { FetchFunction } from '../../wsgi/adapters/fetch-from.ts';
export type { FetchInfo } from '../../wsgi/adapters/fetch-request.ts';
export type { MountOptions } from '../../wsgi/adapters/framework-server.ts';
export { type FetchContext, type FetchHandler, fromFetch } from '../../wsgi/adapters/from-fetch.ts';
export { fromNode } from '../../wsgi/adapters/from-node.ts';
export { type FetchApplication, toFetch } from '../../wsgi/adapters/to-fetch.ts';
export { type NodeHandler, toNode } from '../../wsgi/adapters/to-node.ts';
