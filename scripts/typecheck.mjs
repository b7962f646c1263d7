/** `npm run typecheck`: the types of `src`, `test` and `ui`, without writing a build, then lint, format and types of Python. */
import { mkdirSync } from 'node:fs';
import { checkPython } from './python-checks.mjs';
import { installPackages, mustRun, SETUP, tool } from './steps.mjs';

installPackages();
mkdirSync(SETUP, { recursive: true });
// A build information of its own: that of the build must not learn of files that were not written.
const args = ['-p', 'test/tsconfig.json', '--noEmit', '--tsBuildInfoFile', '.build/typecheck.tsbuildinfo'];
mustRun('types of src and test', process.execPath, [tool('typescript'), ...args]);
mustRun('types of ui', process.execPath, [tool('typescript'), '-p', 'ui/tsconfig.json']);
process.exitCode = checkPython() === false ? 1 : 0;
