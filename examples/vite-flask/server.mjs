import { fileURLToPath } from 'node:url';
import { pythonApp } from 'viaduct';
import { toNode } from 'viaduct/adapters';
import { createServer } from 'vite';

const flask = pythonApp({
  directory: fileURLToPath(new URL('../flask-site', import.meta.url)),
  dev: true,
  ...(process.env.PYTHON ? { python: process.env.PYTHON } : {}),
});

const vite = await createServer({
  root: fileURLToPath(new URL('.', import.meta.url)),
  configFile: false,
  optimizeDeps: { noDiscovery: true }, // there is no package to bundle
  server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 5173) },
  plugins: [
    {
      name: 'flask',
      configureServer({ middlewares }) {
        middlewares.use('/book', toNode(flask));
      },
      closeBundle: () => flask.close(), // Vite closes its plugins at SIGTERM, too
    },
  ],
});
await flask.start();
await vite.listen();
console.log(`http://127.0.0.1:${vite.httpServer.address().port}`);
