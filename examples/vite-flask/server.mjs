import { pythonApp, toNode } from 'viaduct';
import { createServer } from 'vite';

const api = pythonApp({ directory: import.meta.dirname, project: 'api:app', python: process.env.PYTHON, dev: true });
await api.start();

const vite = await createServer({
  configFile: false,
  root: import.meta.dirname,
  server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) },
  plugins: [
    {
      name: 'flask',
      configureServer(server) {
        server.middlewares.use('/api', toNode(api));
      },
      closeBundle: () => api.close(),
    },
  ],
});
await vite.listen();
console.log(`http://127.0.0.1:${vite.httpServer.address().port}/`);
