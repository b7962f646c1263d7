// node delayed.mjs PORT MS: answers every request after so many milliseconds.
import { createServer } from 'node:http';

const [port, ms] = process.argv.slice(2).map(Number);
const server = createServer((_request, response) => {
  setTimeout(() => response.end('done\n'), ms);
});
server.keepAliveTimeout = 60_000;
server.listen(port, '127.0.0.1');
