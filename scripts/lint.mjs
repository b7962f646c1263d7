/** `npm run lint`: format, lint and layer rules of TypeScript and JavaScript, then lint, format and types of Python. */
import { mkdirSync } from 'node:fs';
import { checkPython } from './python-checks.mjs';
import { installPackages, lint, SETUP } from './steps.mjs';

installPackages();
mkdirSync(SETUP, { recursive: true });
lint();
process.exitCode = checkPython() === false ? 1 : 0;
