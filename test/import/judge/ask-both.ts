import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword } from '../../../src/handlers/auth/passwords.ts';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { type Lifetime, nestedLifetime } from '../../support/lifetime.ts';
import { askNginx, type RealResponse } from './ask-nginx.ts';
import { startImported } from './imported-server.ts';
import type { Told } from './naming.ts';
import type { Place } from './place.ts';
import { startRealNginx } from './real-nginx.ts';

const AT_ONCE = 24;

type Responses = readonly (RealResponse | null)[];

/** What nginx, and Viaduct with the imported settings, answered. */
export interface Answers {
  readonly nginx: Responses;
  readonly viaduct: Responses;
  readonly told: Told;
  /** The lines of the report about what was lost or changed. */
  readonly report: readonly string[];
  /** The imported settings. */
  readonly toml: string;
}

/** Asks nginx with `http` as the content of its http block, and then Viaduct with the imported settings, the same probes. */
export async function askBoth(t: Lifetime, http: string, probes: readonly Probe[], place: Place): Promise<Answers> {
  const nginx = await startRealNginx(t, place.directory, http);
  if (typeof nginx === 'string') throw new Error(nginx);
  const before = await askAll(probes).finally(() => nginx.stop());
  const passwords = join(place.directory, 'passwords');
  const kept = readFileSync(passwords);
  writeFileSync(passwords, `user:${await hashPassword('secret')}\n`); // Viaduct takes no plain ones
  const releases: (() => void | Promise<void>)[] = [];
  const own = nestedLifetime({ after: (release) => void releases.push(release) });
  try {
    const { toml, checked, report } = await startImported(own, place.directory, `http {\n${http}}\n`);
    return {
      nginx: before,
      viaduct: await askAll(probes),
      told: {
        findings: checked.findings,
        lines: NOTED.flatMap((outcome) => report.names(outcome)).map(lineOf),
        closed: report.names('closed').map(lineOf),
      },
      report: report.lines(NOTED),
      toml,
    };
  } finally {
    for (const release of releases) await release();
    writeFileSync(passwords, kept);
  }
}

/** What a report says about lines that are not simply carried over. */
const NOTED = ['dangerous', 'closed', 'not carried over', 'carried over, but'] as const;

/** `nginx.conf:12`. */
function lineOf(name: string): number {
  return Number(/\d+$/.exec(name)?.[0]);
}

async function askAll(probes: readonly Probe[]): Promise<(RealResponse | null)[]> {
  const responses: (RealResponse | null)[] = [];
  for (let at = 0; at < probes.length; at += AT_ONCE)
    responses.push(
      ...(await Promise.all(probes.slice(at, at + AT_ONCE).map((probe) => askNginx(probe).catch(() => null)))),
    );
  return responses;
}
