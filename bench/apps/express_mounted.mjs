/** Express with a Django application mounted in it: no second HTTP. Arguments: port, application, its directory, interpreter. */

import express from 'express';
import { pythonApp } from 'viaduct';
import { toNode } from 'viaduct/adapters';

const [port, project, directory, python] = process.argv.slice(2);
const django = pythonApp({ project, directory, python, workers: 1, threads: 1 });
await django.start();
const app = express();
app.disable('x-powered-by');
app.use('/', toNode(django));
app.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => django.close().then(() => process.exit(0)));
