import { inspect } from 'node:util';
import { HUNG } from './watchdog.mjs';

/** Reporter for `node --test`: writes the tests that fail or hang, with their errors, and nothing about the others. */
// biome-ignore lint/style/noDefaultExport: node takes a reporter from the default export
export default async function* failureReporter(source) {
  for await (const { type, data } of source) {
    if (type === 'test:stderr' && data.message.startsWith(HUNG)) yield data.message;
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    const { error } = data.details;
    if (error?.failureType === 'subtestsFailed') continue;
    const text = inspect(error?.cause ?? error, { colors: false }).replaceAll('\n', '\n    ');
    yield `✖ ${data.name} (${data.file ?? ''}:${data.line ?? ''})\n    ${text}\n`;
  }
}
