import { refused } from '../refused.ts';
import type { WrittenOption } from './option.ts';

/**
 * Reads a section of an ini file.
 *
 * @throws ViaductError `SETTINGS` with the line that is neither a section nor a key, or if there is no such section
 */
export function readIni(text: string, file: string, wanted: string): WrittenOption[] {
  const options: WrittenOption[] = [];
  let section = '';
  let hasSection = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    const line = raw.trim();
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    const header = /^\[([^\]]*)\]$/.exec(line);
    if (header !== null) {
      section = (header[1] ?? '').trim();
      hasSection ||= section === wanted;
      continue;
    }
    if (section !== wanted) continue;
    const [, key = '', written = ''] = /^([^=]+?)\s*=\s*(.*)$/s.exec(line) ?? [line, line, 'true'];
    if (line.startsWith('=') || line.startsWith('['))
      throw refused(place, `"${line.slice(0, 40)}" is neither a section nor a key`);
    options.push({ ...place, text: line, key, written });
  }
  if (!hasSection) throw refused({ file, line: 1 }, `there is no section [${wanted}]`);
  return options;
}
