import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { createServer, pythonApp } from 'viaduct';
import { fromFetch, toFetch } from 'viaduct/adapters';

const django = pythonApp({
  directory: process.env.DJANGO_SITE ?? fileURLToPath(new URL('../django-site', import.meta.url)),
  ...(process.env.PYTHON ? { python: process.env.PYTHON } : {}),
});
const askDjango = toFetch(django);

const app = new Hono();
app.get('/api/hello/:name', (c) => c.json({ hello: c.req.param('name') }));
app.post('/api/count', async (c) => c.json({ words: (await c.req.text()).split(/\s+/).filter(Boolean).length }));
app.get('/api/health', async (c) => c.json({ site: (await django.request('/health')).status }));
app.all('*', (c) => askDjango(c.req.raw, { remoteAddress: c.env.remoteAddress }));

await django.start();
const server = await createServer({
  application: fromFetch(app.fetch),
  listen: `127.0.0.1:${process.env.PORT ?? 3000}`,
});
console.log(server.url);

process.once('SIGTERM', async () => {
  await server.stop();
  await django.close();
});
