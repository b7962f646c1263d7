/**
 * `npm run interop`: the tests with programs that take too long to install for `npm test`. A test whose program is not in PATH says so. Jaeger 2
 * is one file, which its project publishes; Go builds it in some minutes.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, mustRun, ROOT } from './steps.mjs';

compile();
const files = readdirSync(join(ROOT, 'test/interop')).map((name) =>
  join('.build/test/interop', name.replace(/\.ts$/, '.js')),
);
mustRun('tests with programs of others', process.execPath, ['--test', ...files]);
