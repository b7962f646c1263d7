// node endpoint_slices.mjs PORT SLICES CHANGES: an API with SLICES EndpointSlices of 100 endpoints each; CHANGES endpoints change each second.
import { createServer } from 'node:http';

const [port, count, changes] = process.argv.slice(2).map(Number);
const EVERY_MS = 100;
const watches = new Set();
let version = 1;
const slices = Array.from({ length: count }, (_, slice) => ({
  name: `slice-${slice}`,
  addresses: Array.from({ length: 100 }, (_, index) => `10.${slice}.${index}.1`),
}));

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  if (request.url.includes('watch=1')) {
    response.flushHeaders();
    watches.add(response);
    response.on('close', () => watches.delete(response));
  } else response.end(JSON.stringify({ metadata: { resourceVersion: `${version}` }, items: slices.map(objectOf) }));
});
server.listen(port, '127.0.0.1');

let turn = 0;
setInterval(() => {
  for (let change = 0; change < (changes * EVERY_MS) / 1000; change++) {
    turn++;
    version++;
    const slice = slices[turn % count];
    slice.addresses[turn % 97] = `10.${turn % count}.${turn % 97}.${2 + (turn % 250)}`;
    for (const watch of watches) watch.write(`${JSON.stringify({ type: 'MODIFIED', object: objectOf(slice) })}\n`);
  }
}, EVERY_MS);

function objectOf({ name, addresses }) {
  return {
    metadata: { name, resourceVersion: `${version}` },
    ports: [{ name: 'http', port: 8000 }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}
