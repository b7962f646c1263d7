/**
 * `npm run check`: the quick gate. Format, lint, layer rules, types, prose, and the tests that need no other programs. It needs no set-up
 * beyond `npm ci`; the tools for Python are installed at the first run.
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { checkProse } from './prose.mjs';
import { checkPython } from './python-checks.mjs';
import { compile, installPackages, lint, runTests, SETUP } from './steps.mjs';
import { compiled, isQuick, testPaths } from './test-files.mjs';

installPackages();
mkdirSync(SETUP, { recursive: true });
lint();
const isPythonClean = checkPython() !== false;
const isProseClean = checkProse();
compile();
const files = compiled(testPaths().filter(isQuick));
console.log(`- tests in ${files.length} files`);
const { passed, failed, skipped } = runTests(process.execPath, files, {
  concurrency: availableParallelism(),
  quiet: true,
});
if (!isPythonClean) console.log('failed: the checks of Python, see above');
if (!isProseClean) console.log('failed: the prose, see above');
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && isPythonClean && isProseClean ? 0 : 1);
