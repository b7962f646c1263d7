import { fileURLToPath } from 'node:url';
import express from 'express';
import { pythonApp } from 'viaduct';
import { toNode } from 'viaduct/adapters';

const django = pythonApp({
  directory: fileURLToPath(new URL('.', import.meta.url)),
  project: 'office:application',
  ...(process.env.PYTHON ? { python: process.env.PYTHON } : {}),
});

const app = express();
app.use('/admin', toNode(django)); // before body parsers: Django reads its forms itself
app.use(express.json());
app.get('/', (_req, res) => res.send('<h1>Shop</h1><p><a href="/admin/">Back office</a></p>'));
app.post('/orders', (req, res) => res.status(201).json({ ordered: req.body }));

await django.start();
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close(() => django.close());
  server.closeIdleConnections();
});
