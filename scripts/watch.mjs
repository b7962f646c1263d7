/** `npm run watch`: builds now and after each change of `src`, with one line for each build. Ctrl-C ends it. */
import { compileAtChanges } from './compile-at-changes.mjs';
import { onEndSignal } from './signals.mjs';
import { forgetLostBuild, installPackages, ROOT } from './steps.mjs';

installPackages();
forgetLostBuild();
const stop = compileAtChanges(ROOT, ({ succeeded, output, seconds }) => {
  process.stdout.write(output);
  console.log(`- built in ${seconds.toFixed(1)} s${succeeded ? '' : ', with errors'}`);
});
onEndSignal(() => {
  stop();
  process.exit(0);
});
