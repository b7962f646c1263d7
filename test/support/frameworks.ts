import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import type { Application } from 'viaduct';
import { type MountOptions, toNode } from 'viaduct/adapters';
import { createServer as createVite } from 'vite';

/** Serves `application` under `/admin` in a framework. Returns the URL of its server. */
export type Mount = (t: TestContext, application: Application, options?: MountOptions) => Promise<string>;

export const FRAMEWORKS: Readonly<Record<string, Mount>> = {
  Express(t, application, options) {
    const app = express();
    app.use('/admin', toNode(application, options));
    return listen(t, createServer(app));
  },

  Koa(t, application, options) {
    const app = new Koa();
    const handler = toNode(application, { ...options, mount: '/admin' });
    app.use((context) => {
      context.respond = false;
      handler(context.req, context.res);
    });
    return listen(t, createServer(app.callback()));
  },

  async Fastify(t, application, options) {
    const app = fastify();
    const handler = toNode(application, { ...options, mount: '/admin' });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const path of ['/admin', '/admin/*']) {
      app.all(path, (request, reply) => {
        reply.hijack();
        handler(request.raw, reply.raw);
      });
    }
    t.after(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },

  async Vite(t, application, options) {
    const vite = await createVite({
      configFile: false,
      appType: 'custom',
      logLevel: 'silent',
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false, watch: null, allowedHosts: true },
    });
    vite.middlewares.use('/admin', toNode(application, options));
    t.after(() => vite.close());
    return listen(t, createServer(vite.middlewares));
  },

  'node:http'(t, application, options) {
    const handler = toNode(application, { ...options, mount: '/admin' });
    return serveNode(t, (req, res) => handler(req, res));
  },
};

/** Serves on a free port until the test ends. Returns the URL. */
export function serveNode(t: TestContext, listener: RequestListener): Promise<string> {
  return listen(t, createServer(listener));
}

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
