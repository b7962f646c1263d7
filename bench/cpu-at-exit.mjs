// Loaded into a command with `node --import` when its processor time is measured: writes what it used, in microseconds, when it ends.
import { writeFileSync } from 'node:fs';

process.on('exit', () => writeFileSync(process.env.CPU_REPORT, JSON.stringify(process.cpuUsage())));
