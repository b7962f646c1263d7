import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { SoakFigures } from './soak.ts';
import type { Target } from './target.ts';

const MIB = 1024 * 1024;
/** Last lines of the server's output that are shown with a finding. */
const LINES_SHOWN = 10;
const START = '<!-- attack figures: start -->';
const END = '<!-- attack figures: end -->';

interface Row {
  readonly name: string;
  readonly promise: string;
  runs: number;
  cases: number;
  findings: number;
  /** Most memory of the server process after this attack, in bytes. */
  memoryMax: number;
}

/** What the attacks found, and the figures of a whole run. */
export class Report {
  readonly findings: string[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #started = performance.now();
  readonly #soak = { requests: 0, statuses: new Map<number, number>(), faults: new Map<string, number>() };

  /** Runs one attack, and checks that it left nothing behind. Returns false if it found something: then the server is not to be used again. Without a target nothing can stay behind. */
  async record(
    target: Target | null,
    seed: number,
    name: string,
    promise: string,
    run: () => Promise<void>,
    cases = 1,
  ): Promise<boolean> {
    const row = this.#rows.get(name) ?? { name, promise, runs: 0, cases: 0, findings: 0, memoryMax: 0 };
    this.#rows.set(name, row);
    row.runs += 1;
    row.cases += cases;
    try {
      await run();
      if (target !== null && name !== 'stop') row.memoryMax = Math.max(row.memoryMax, (await target.settle()).memory);
      console.log(`  ok       ${name}`);
      return true;
    } catch (error) {
      row.findings += 1;
      const finding = `${name}: ${error instanceof Error ? error.message : String(error)} (--seed ${seed})`;
      this.findings.push(finding);
      console.log(`  FINDING  ${finding}`);
      if (target !== null) console.log(target.viaduct.output().trimEnd().split('\n').slice(-LINES_SHOWN).join('\n'));
      return false;
    }
  }

  addSoak({ requests, statuses, faults }: SoakFigures): void {
    this.#soak.requests += requests;
    for (const [status, count] of statuses) add(this.#soak.statuses, status, count);
    for (const [fault, count] of faults) add(this.#soak.faults, fault, count);
  }

  /** Prints the figures, and each finding. */
  print(): void {
    console.log(`\n${this.markdown()}`);
    for (const finding of this.findings) console.log(`FINDING ${finding}`);
    console.log(`\n${this.findings.length} findings`);
  }

  /** The figures as Markdown. */
  markdown(): string {
    const minutes = Math.round((performance.now() - this.#started) / 60_000);
    const rows = [...this.#rows.values()].map(
      ({ name, runs, cases, findings, memoryMax }) =>
        `| ${name} | ${runs} | ${cases} | ${findings} | ${memoryMax === 0 ? '' : `${Math.round(memoryMax / MIB)} MiB`} |`,
    );
    const table = ['| attack | runs | cases | findings | memory after it |', '|---|---|---|---|---|', ...rows].join(
      '\n',
    );
    return `${minutes} minutes on Node ${process.version} and ${machineName()}:\n\n${table}\n${this.#soakSentences()}`;
  }

  #soakSentences(): string {
    const { requests, statuses, faults } = this.#soak;
    if (requests === 0) return '';
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    const injected = [...faults].sort().map(([name, count]) => `${name} ${count} times`);
    return `\nThe soak sent ${requests} requests while these faults happened: ${injected.join(', ')}.\nStatuses, 0 for a connection that ended without an answer: ${counts.join(', ')}.\n`;
  }

  /** Replaces the figures in a page, between two comments that mark their place. */
  writeInto(page: string): void {
    const text = readFileSync(page, 'utf8');
    const [before, after] = [text.indexOf(START), text.indexOf(END)];
    if (before < 0 || after < before)
      throw new Error(`Cannot write the figures into "${page}": it has no place for them`);
    writeFileSync(page, `${text.slice(0, before + START.length)}\n\n${this.markdown()}\n${text.slice(after)}`);
  }
}

function machineName(): string {
  return `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}`;
}

function add<T>(counts: Map<T, number>, key: T, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
