/** `npm run check`: the quick gate. Format, lint with layer rules, types, unit tests. No set-up beyond `npm ci`. */
import { mkdirSync } from 'node:fs';
import { compile, installPackages, lint, runTests, SETUP, testFiles } from './steps.mjs';

installPackages();
mkdirSync(SETUP, { recursive: true });
lint();
compile();
const { passed, failed, skipped } = runTests(
  process.execPath,
  testFiles((path) => !path.startsWith('system/')),
);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
