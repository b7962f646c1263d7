#!/usr/bin/env node

// Before everything else: until a listener takes this signal, it opens Node's debugger.
process.on('SIGUSR1', () => {});
var parts = process.versions.node.split('.').map(Number);
if (parts[0] < 20 || (parts[0] === 20 && parts[1] < 19)) {
  process.stderr.write(`viaduct: Cannot run on Node ${process.versions.node}: it needs 20.19 or later\n`);
  process.exit(1);
}
import('../dist/main.js').then(
  (cli) =>
    cli.main(process.argv.slice(2)).then((code) => {
      process.exitCode = code;
      // The reader of the output may be stuck, and an application may have timers and sockets. They must not keep the process
      // alive, and not at all after a signal that asked for the end at once: then the code is above 128.
      setTimeout(process.exit, code > 128 ? 500 : 5000, code).unref();
    }),
  (error) => {
    var isMissing = error.code === 'ERR_MODULE_NOT_FOUND' && /dist.main\.js/.test(error.message);
    // The system refuses to read the program, as without free descriptors.
    if (!isMissing && error.syscall === undefined) throw error;
    var state = isMissing ? 'it is not built yet\nRun npm ci and npm run build first, or npm start.' : error.message;
    process.stderr.write(`viaduct: Cannot start: ${state}\n`);
    process.exit(1);
  },
);
