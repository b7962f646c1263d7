/** `npm run build`: types and program, from `src` to `dist`. With `-- --sourceMap` also source maps, for the debugger. */
import { build } from './steps.mjs';

build({ sourceMap: process.argv.includes('--sourceMap') });
