import { Hono } from 'hono';
import { createServer, fromFetch, pythonApp, toFetch } from 'viaduct';

const office = pythonApp({ directory: import.meta.dirname, project: 'office:application', python: process.env.PYTHON });
await office.start();
const admin = toFetch(office, { mount: '/admin' });

const app = new Hono();
app.get('/api/time', (c) => c.json({ time: new Date().toISOString() }));
app.post('/api/echo', async (c) => c.json(await c.req.json()));
app.all('/admin/*', (c) => admin(c.req.raw, c.env));

const listen = [`127.0.0.1:${process.env.PORT ?? 3000}`];
const server = await createServer({ application: fromFetch(app.fetch), listen });
console.log(`${server.url}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close();
    await office.close();
  });
}
