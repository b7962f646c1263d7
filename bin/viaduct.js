#!/usr/bin/env node

var parts = process.versions.node.split('.').map(Number);
if (parts[0] < 20 || (parts[0] === 20 && parts[1] < 19)) {
  process.stderr.write(`viaduct: Cannot run on Node ${process.versions.node}: it needs 20.19 or later\n`);
  process.exit(1);
}
import('../dist/cli/main.js').then(
  (cli) =>
    cli.main(process.argv.slice(2)).then((code) => {
      process.exitCode = code;
      // Whoever reads our output may be stuck: what is still to be written then does not keep the process.
      setTimeout(process.exit, 5000, code).unref();
    }),
  (error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/dist.cli.main\.js/.test(error.message)) throw error;
    process.stderr.write(
      'viaduct: Cannot start: it is not built yet\nRun npm ci and npm run build first, or npm start.\n',
    );
    process.exit(1);
  },
);
