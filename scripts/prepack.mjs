/** What npm runs before it makes the package: a build from nothing, so that no file of an earlier build gets into the package. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, installPackages, ROOT } from './steps.mjs';

// The result of the build goes to npm's standard error: `npm pack --json` writes its own to standard output.
console.log = console.error;
installPackages();
rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
build();
