import { choose } from '../names.mjs';
import { backendScenarios } from './backends.mjs';
import { bodyScenarios } from './bodies.mjs';
import { deadlinesScenario } from './deadlines.mjs';
import { growthScenarios } from './growth.mjs';
import { helloScenarios } from './hello.mjs';
import { http2Scenarios } from './http2.mjs';
import { idleScenarios } from './idle.mjs';
import { importScenario } from './import.mjs';
import { memoryScenarios } from './memory.mjs';
import { metricsScenarios } from './metrics.mjs';
import { mixScenarios, recyclingScenario } from './mix.mjs';
import { overloadScenario } from './overload.mjs';
import { placeholdersScenario } from './placeholders.mjs';
import { resumptionScenario } from './resumption.mjs';
import { startScenarios } from './start.mjs';
import { staticScenarios } from './static.mjs';
import { traceScenarios } from './trace.mjs';
import { typescriptScenarios } from './typescript.mjs';
import { webServerScenarios } from './web-server.mjs';

/**
 * One thing that is measured.
 *
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} unit of its values
 * @property {'higher' | 'lower'} better
 * @property {readonly string[]} stacks names, ours first
 * @property {Record<string, number>} targets ratio of ours to that stack: at least when higher is better, else at most
 * @property {number} [limit] what our own value must stay below, or reach when higher is better
 * @property {boolean} [fresh] each sample starts its stack again
 * @property {boolean} [unstarted] each sample starts its stack by itself
 * @property {boolean} [together] as `fresh`, and all stacks are under load at the same time
 * @property {number} [roundsMax] further rounds would not change the result
 * @property {import('../load.mjs').Request} request by which one sees that a stack is ready
 * @property {string | number | RegExp} answer see `waitUntilReady`
 * @property {() => string | undefined} [impossible] why it cannot be measured here
 * @property {(context: import('../rounds.mjs').Context) => Partial<import('../stacks/index.mjs').Job>} job
 * @property {(server: import('../stacks/index.mjs').Server, context: import('../rounds.mjs').Context) => Promise<void>} [warmUp]
 * @property {(server: import('../stacks/index.mjs').Server, context: import('../rounds.mjs').Context) =>
 *   Promise<import('../rounds.mjs').Sample>} sample
 */

/** All, in the order of the tables. @type {readonly Scenario[]} */
export const SCENARIOS = [
  ...helloScenarios,
  ...bodyScenarios,
  ...growthScenarios,
  ...staticScenarios,
  ...http2Scenarios,
  ...webServerScenarios,
  resumptionScenario,
  ...backendScenarios,
  ...typescriptScenarios,
  ...mixScenarios,
  recyclingScenario,
  overloadScenario,
  deadlinesScenario,
  ...startScenarios,
  importScenario,
  ...memoryScenarios,
  ...idleScenarios,
  ...metricsScenarios,
  placeholdersScenario,
  ...traceScenarios,
];

/** As `choose`. @param {readonly string[]} names none for all */
export function chooseScenarios(names) {
  return choose(SCENARIOS, names, 'scenario');
}

/**
 * Those that measure Viaduct as it is, each beside Viaduct of an earlier commit alone. Noise is 2 %. Each sample starts its server again: two
 * processes of the same commit differ by several percent for as long as they run. Both are under load at the same time, on one core, so
 * that what slows the machine down slows both: of two that take turns, either may be a third slower than a moment before.
 */
export function besideBefore(scenarios, before) {
  return scenarios
    .filter(({ stacks }) => stacks[0] === 'viaduct')
    .map((scenario) => ({
      ...scenario,
      together: true,
      stacks: ['viaduct', before],
      targets: targetBeside(scenario, before),
    }));
}

function targetBeside({ better }, before) {
  return { [before]: better === 'higher' ? 0.98 : 1.02 };
}
