// Loaded into Viaduct's front with `node --expose-gc --import` when idle connections are measured: what is left after a full
// collection is what a connection holds; the rest is garbage whose amount depends on when one looks.
process.on('SIGUSR2', () => globalThis.gc?.());
