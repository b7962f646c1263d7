/** `npm run format`: writes the format and the order of imports of TypeScript, JavaScript and JSON, and the format of Python. */
import { mkdirSync } from 'node:fs';
import { preparePythonTools } from './setup.mjs';
import { installPackages, mustRun, SETUP, tool } from './steps.mjs';

installPackages();
mkdirSync(SETUP, { recursive: true });
const biome = ['check', '--write', '--linter-enabled=false'];
mustRun('format TypeScript, JavaScript and JSON', process.execPath, [tool('@biomejs/biome'), ...biome]);
const python = preparePythonTools();
if (python === null) console.log('  Skipped: the format of Python');
else mustRun('format Python', python, ['-m', 'ruff', 'format', 'python', 'test/python']);
