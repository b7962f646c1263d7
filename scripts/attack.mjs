/** `npm run attack`: compiles the program and its attacks, and attacks it. The options are those of `test/attack/main.ts`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compile, installPackages, ROOT } from './steps.mjs';

installPackages();
compile();
const { status } = spawnSync(process.execPath, [join(ROOT, '.build/test/attack/main.js'), ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
