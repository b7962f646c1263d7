/** `npm run judge`: compiles, and compares the model of nginx with nginx. The options are those of `test/import/judge/main.ts`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compile, installPackages, ROOT } from './steps.mjs';

installPackages();
compile();
const program = join(ROOT, '.build/test/import/judge/main.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = status ?? 1;
