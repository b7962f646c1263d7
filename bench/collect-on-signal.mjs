// Loaded into Viaduct's server process with `node --expose-gc --import` when idle connections are measured. The memory after a full
// collection is what the connections hold. Before it, the amount of garbage depends on the moment.
process.on('SIGUSR2', () => globalThis.gc?.());
