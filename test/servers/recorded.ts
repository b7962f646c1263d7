import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/viaduct.ts';
import type { Aspects } from './aspects.ts';
import type { Recorded, Recording } from './page.ts';

const FILE = join(ROOT, 'test/servers/recorded.json');

/** What was recorded last of each server. */
export function readRecording(): Recording {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Recording;
}

/** One line for each request, so that a change is a line of a diff. */
export function writeRecording(recording: Recording): void {
  const servers = Object.entries(recording).map(([name, { version, behaviour }]) => {
    const lines = Object.entries(behaviour).map(
      (entry) => `      ${JSON.stringify(entry[0])}: ${JSON.stringify(entry[1])}`,
    );
    return `  ${JSON.stringify(name)}: {\n    "version": ${JSON.stringify(version)},\n    "behaviour": {\n${lines.join(',\n')}\n    }\n  }`;
  });
  writeFileSync(FILE, `{\n${servers.join(',\n')}\n}\n`);
}

/** The rows that are not as recorded, in words. */
export function changesOf(recorded: Recorded, { behaviour }: Recorded): string[] {
  const requests = new Set([...Object.keys(recorded.behaviour), ...Object.keys(behaviour)]);
  return [...requests].flatMap((request) => {
    const [before, now] = [recorded.behaviour[request] ?? {}, behaviour[request] ?? {}];
    const names = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...names]
      .filter((name) => before[name] !== now[name])
      .map((name) => `${request}: ${name}: ${shown(before, name)}, now ${shown(now, name)}`);
  });
}

function shown(aspects: Aspects, name: string): string {
  return aspects[name] ?? 'nothing';
}
