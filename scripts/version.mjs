/**
 * What `npm version` runs after it has changed `package.json`: writes the version wherever else it is, names the changes after it in
 * `CHANGELOG.md`, and adds these files to npm's commit.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, ROOT } from './steps.mjs';

/**
 * The files that hold the version, with what changes in each.
 *
 * @type {Readonly<Record<string, (text: string, version: string, day: string) => string>>}
 */
export const VERSIONED = {
  'src/version.ts': (text, version) => replaced(text, /VERSION = '[^']*'/, `VERSION = '${version}'`),
  'deploy/helm/viaduct/Chart.yaml': (text, version) => {
    const chart = replaced(text, /^version: .*$/m, `version: ${version}`);
    return replaced(chart, /^appVersion: .*$/m, `appVersion: "${version}"`);
  },
  'CHANGELOG.md': (text, version, day) =>
    replaced(text, /^## Unreleased$/m, `## Unreleased\n\nNothing yet.\n\n## ${version} (${day})`),
};

function replaced(text, pattern, replacement) {
  if (!pattern.test(text)) throw new Error(`Cannot write the version: there is no ${pattern}`);
  return text.replace(pattern, () => replacement);
}

if (process.argv[1] === import.meta.filename) {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const day = new Date().toISOString().slice(0, 10);
  for (const [path, change] of Object.entries(VERSIONED)) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    writeFileSync(join(ROOT, path), change(text, version, day));
  }
  mustRun(`version ${version}`, 'git', ['add', ...Object.keys(VERSIONED)]);
}
