import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { importFile } from '../../src/import/import-file.ts';
import { reportText } from '../../src/import/report-text.ts';
import { makeProject } from '../support/project.ts';
import { ROOT } from '../support/viaduct.ts';

const PAGE = readFileSync(join(ROOT, 'docs/import.md'), 'utf8');
/** A configuration whose first line names its file, then the settings that it becomes, and the report. */
const EXAMPLE =
  /^```(?:nginx|python|ini)\n# (\S+)\n([\s\S]*?)^```$[\s\S]*?^```toml\n([\s\S]*?)^```$[\s\S]*?^```text\n([\s\S]*?)^```$/gm;

describe('an example of import.md', () => {
  const examples = [...PAGE.matchAll(EXAMPLE)];
  it('exists for each kind', () => assert.equal(examples.length, 3));

  for (const [, file = '', text = '', toml, report] of examples) {
    it(`becomes the settings of the page: ${file}`, async (t) => {
      const cwd = makeProject(t, { [file]: `# ${file}\n${text}` });
      const imported = await importFile({
        file,
        kind: null,
        cwd,
        outputDirectory: null,
        readImported,
        variablesIn: () => [],
      });
      assert.equal(imported.toml, toml);
      assert.equal(
        reportText(imported, new Set(), false)
          .lines.map((line) => `${line}\n`)
          .join(''),
        report,
      );
    });
  }
});
