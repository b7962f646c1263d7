import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { descriptorLimit } from '../../listen/descriptors.ts';
import type { Family } from '../../metrics/family.ts';
import { Histograms } from '../../metrics/histograms.ts';
import { counter, gauge } from './gauges.ts';

/** How often the delay of the event loop is measured. */
const SAMPLE_MS = 100;
const DELAY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const DESCRIPTORS = '/proc/self/fd';

/** Measures this process: what Prometheus expects of every process, and whether its event loop keeps up. */
export class ProcessMetrics {
  readonly #delays = new Histograms({
    name: 'nodejs_eventloop_delay_seconds',
    help: 'How late a timer of the event loop is that is due ten times a second.',
    unit: 'seconds',
    bounds: DELAY_BOUNDS,
    combine: 'each',
  });
  readonly #series = this.#delays.add({});
  #dueMs = performance.now() + SAMPLE_MS;
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();

  #sample(): void {
    const now = performance.now();
    this.#delays.observe(this.#series, Math.max(0, now - this.#dueMs) / 1000);
    this.#dueMs = now + SAMPLE_MS;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async families(): Promise<Family[]> {
    const { user, system } = process.cpuUsage();
    const { active, idle } = performance.eventLoopUtilization();
    const combine = 'each' as const;
    const open = await openDescriptors();
    const max = descriptorLimit();
    return [
      counter({ name: 'process_cpu_seconds', help: 'CPU time of the server process.', unit: 'seconds', combine }, [
        [{}, (user + system) / 1e6],
      ]),
      gauge(
        {
          name: 'process_resident_memory_bytes',
          help: 'Resident memory of the server process.',
          unit: 'bytes',
          combine,
        },
        [[{}, process.memoryUsage.rss()]],
      ),
      gauge(
        {
          name: 'process_start_time_seconds',
          help: 'When the server process started, in seconds since 1970.',
          unit: 'seconds',
          combine,
        },
        [[{}, performance.timeOrigin / 1000]],
      ),
      gauge({ name: 'process_open_fds', help: 'File descriptors in use.', combine }, open < 0 ? [] : [[{}, open]]),
      gauge({ name: 'process_max_fds', help: 'File descriptors that may be in use.', combine }, [[{}, max]]),
      counter(
        {
          name: 'nodejs_eventloop_time_seconds',
          help: 'Time in which the event loop was active, and idle.',
          unit: 'seconds',
          combine,
        },
        [
          [{ nodejs_eventloop_state: 'active' }, active / 1000],
          [{ nodejs_eventloop_state: 'idle' }, idle / 1000],
        ],
      ),
      this.#delays.family(),
    ];
  }
}

/** How many descriptors are open; -1 if the system does not tell. Since version 6.2 Linux has the number as the size of the directory. */
async function openDescriptors(): Promise<number> {
  try {
    return statSync(DESCRIPTORS).size || (await readdir(DESCRIPTORS)).length;
  } catch {
    return -1;
  }
}
