import { nestedLifetime } from '../support/lifetime.ts';
import { ATTACK_PROTOCOLS, PathAttack } from '../support/path-attack.ts';
import { createRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ATTACKS } from './attacks/index.ts';
import { FUZZED_DOORS } from './doors.ts';
import { FaultyMachine } from './faults.ts';
import { fuzz } from './fuzz.ts';
import type { Report } from './report.ts';
import { soak } from './soak.ts';
import { Target } from './target.ts';

export interface RoundOptions {
  /** Cases of each fuzzer. */
  readonly cases: number;
  readonly soakMs: number;
}

/** One round: all attacks, all fuzzers and a soak. A finding ends the server; the next attack gets a new one. */
export class Round {
  readonly #seed: number;
  readonly #random: () => number;
  readonly #report: Report;
  readonly #words: readonly string[];
  readonly #releases: (() => void | Promise<void>)[] = [];
  #machine: FaultyMachine | null = null;
  #target: Target | null = null;
  #hasAttacked = false;

  constructor(seed: number, words: readonly string[], report: Report) {
    this.#seed = seed;
    this.#random = createRandom(seed);
    this.#words = words;
    this.#report = report;
  }

  /** @throws Error if no attack has one of the words in its name */
  async run({ cases, soakMs }: RoundOptions): Promise<void> {
    console.log(`round with --seed ${this.#seed}`);
    const random = this.#random;
    for (const { name, promise, run } of ATTACKS) await this.#attack(name, promise, (target) => run(target, random));
    for (const door of FUZZED_DOORS) {
      const promise = 'Whatever octets come: the connection ends, and every answer is well-formed.';
      await this.#attack(`fuzz ${door}`, promise, (target) => fuzz(target, door, random, cases), cases);
    }
    await this.#spell(cases);
    const promise = 'No answer is lost, crossed or given twice while parts fail. Afterwards every request succeeds.';
    await this.#attack('soak with faults', promise, async (target, machine) => {
      const faults = machine.faults().filter(({ skip }) => skip === false);
      for (const { name, skip } of machine.faults()) if (skip !== false) console.log(`  skipped: ${name}: ${skip}`);
      this.#report.addSoak(await soak(target, faults, random, soakMs));
    });
    await this.#attack('stop', 'SIGTERM ends the server with exit code 0.', (target) => target.assertStops());
    await this.end();
    if (!this.#hasAttacked)
      throw new Error(`Cannot attack with --only ${this.#words.join(',')}: no attack has this name`);
  }

  /** Spells protected paths in other ways, against a server of its own. */
  async #spell(cases: number): Promise<void> {
    const chosen = ATTACK_PROTOCOLS.filter((protocol) => this.#isChosen(`spellings over ${protocol}`));
    if (chosen.length === 0) return;
    const attack = await PathAttack.start({ after: (release) => void this.#releases.push(release) });
    for (const protocol of chosen) {
      const promise = 'No spelling of a path leads around the route that protects it.';
      const run = async (): Promise<void> => {
        const { findings } = await attack.run(protocol, this.#seed, cases);
        if (findings.length > 0)
          throw new Error(`${findings.length} spellings lead around: ${JSON.stringify(findings[0])}`);
      };
      await this.#report.record(null, this.#seed, `spellings over ${protocol}`, promise, run, cases);
    }
  }

  #isChosen(name: string): boolean {
    const chosen = this.#words.length === 0 || this.#words.some((word) => name.includes(word));
    this.#hasAttacked ||= chosen;
    return chosen;
  }

  async #attack(
    name: string,
    promise: string,
    run: (target: Target, machine: FaultyMachine) => Promise<void>,
    cases = 1,
  ): Promise<void> {
    if (!this.#isChosen(name)) return;
    if (this.#target === null || this.#machine === null) {
      const lifetime = nestedLifetime({ after: (release) => void this.#releases.push(release) });
      this.#machine = new FaultyMachine(temporaryDirectory(lifetime), lifetime);
      this.#target = await Target.start(lifetime, { env: this.#machine.env });
    }
    const target = this.#target;
    const machine = this.#machine;
    const isFine = await this.#report.record(target, this.#seed, name, promise, () => run(target, machine), cases);
    if (!isFine) await this.end();
  }

  /** Stops the server and undoes what the round did to the machine. */
  async end(): Promise<void> {
    this.#target = null;
    for (const release of this.#releases.splice(0).reverse()) await release();
  }
}
