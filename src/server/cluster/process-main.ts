/** The program of a server process: it takes the signals before anything else is loaded. */

import { keepCompiledCode } from '../../os/compile-cache.ts';
import { closeDebugger } from '../../os/debugger.ts';
import { disarmSignals, STOP_SIGNALS } from '../../os/signals.ts';

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process. Only the primary decides what happens.
for (const signal of [...STOP_SIGNALS, 'SIGHUP'] as const) process.on(signal, () => {});
disarmSignals(() => {});
keepCompiledCode();
await import('./process-server.ts');
closeDebugger();
