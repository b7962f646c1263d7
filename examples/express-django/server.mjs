import { once } from 'node:events';
import express from 'express';
import { pythonApp, toNode } from 'viaduct';

const office = pythonApp({ directory: import.meta.dirname, project: 'office:application', python: process.env.PYTHON });
await office.start();

const app = express();
app.get('/', (_request, response) => {
  response.send('<h1>Express</h1><a href="/admin/">Django</a>');
});
app.use('/admin', toNode(office));

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${server.address().port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await office.close();
  });
}
