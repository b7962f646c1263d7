/** The program of a server process: it takes the signals before anything else is loaded. */

import { closeDebugger, disarmSignals, STOP_SIGNALS } from '../../os/signals.ts';

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process. Only the primary decides what happens.
for (const signal of [...STOP_SIGNALS, 'SIGHUP'] as const) process.on(signal, () => {});
disarmSignals(() => {});
await import('./process-server.ts');
closeDebugger();
