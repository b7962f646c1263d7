/**
 * `npm run dev`: builds at each change of `src` and restarts the server, with `--dev`. It restarts after a change of `python` too. Ctrl-C ends
 * everything.
 *
 * Flags after `npm run dev --` are added to the server's. If the first argument is not a flag, the arguments replace the example site:
 * `npm run dev -- examples/flask-site`, `npm run dev -- web --proxy http://127.0.0.1:9000`.
 */
import { join, relative } from 'node:path';
import { compileAtChanges } from './compile-at-changes.mjs';
import { EXAMPLE_SITE, prepareExampleSite } from './example-site.mjs';
import { ServerProcess } from './server-process.mjs';
import { onEndSignal } from './signals.mjs';
import { forgetLostBuild, installPackages, ROOT } from './steps.mjs';
import { watchFiles } from './watch-files.mjs';

// The shell may be set up for another Django project.
delete process.env.DJANGO_SETTINGS_MODULE;
installPackages();
forgetLostBuild();
const server = new ServerProcess(serverArguments(process.argv.slice(2)), onServerEnd);
/** Why the server has to restart; null when it need not. */
let cause = null;
let isRestarting = false;
let isFirst = true;
const stopCompiler = compileAtChanges(ROOT, onCompiled);
watchFiles([join(ROOT, 'python')], /\.py$/, (path) => {
  if (!isFirst) void restart(`${relative(ROOT, path)} changed`);
});
onEndSignal(() => end(0));
process.on('exit', () => {
  stopCompiler();
  server.kill();
});

/** The server's arguments, with `--dev` unless they say `--no-dev`. */
function serverArguments(given) {
  if (given.length > 0 && !given[0].startsWith('-'))
    return [...given, ...(given.includes('--no-dev') ? [] : ['--dev'])];
  prepareExampleSite();
  console.log(`- serve ${EXAMPLE_SITE}: log in to /admin/ with admin / admin`);
  return ['serve', EXAMPLE_SITE, '--dev', ...given];
}

function onCompiled({ succeeded, output, seconds }) {
  const built = `built in ${seconds.toFixed(1)} s`;
  process.stdout.write(output);
  if (!succeeded)
    console.log(`- ${built}, with errors: ${isFirst ? 'nothing is served yet' : 'the last build serves on'}`);
  else if (isFirst) console.log(`- ${built}`);
  if (succeeded) void restart(built);
}

/** One restart at a time. Of the causes that come meanwhile only the last one counts. */
async function restart(why) {
  cause = why;
  if (isRestarting) return;
  isRestarting = true;
  while (cause !== null) {
    const reason = cause;
    cause = null;
    await server.stop();
    const serves = await server.start();
    if (serves && !isFirst) console.log(`- ${reason}, restarted`);
    isFirst = false;
  }
  isRestarting = false;
}

/** A server that never listened has a reason that no change of the sources removes, such as an address in use. */
function onServerEnd(code, hasServed) {
  if (!hasServed) end(typeof code === 'number' ? code : 1);
  else console.log(`- the server ended (${code}); the next change starts it again`);
}

async function end(code) {
  cause = null;
  stopCompiler();
  await server.stop();
  process.exit(code);
}
