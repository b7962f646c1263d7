/** Express that passes everything on by HTTP, connections kept. Arguments: port, socket of the application server. */

import { Agent, request } from 'node:http';
import express from 'express';

const [port, socketPath] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const app = express();
app.disable('x-powered-by');
app.use('/', (req, res) => {
  const { method, headers, originalUrl: path } = req;
  const upstream = request({ socketPath, agent, method, path, headers }, (response) => {
    res.writeHead(response.statusCode, response.headers);
    response.pipe(res);
  });
  upstream.on('error', () => res.destroy());
  req.pipe(upstream);
});
app.listen(Number(port), '127.0.0.1');
