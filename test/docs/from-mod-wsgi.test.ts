import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readArguments } from '../../src/cli/arguments.ts';
import { migrationRows, wrongRows } from '../support/migration-page.ts';
import { codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { DAEMON_OPTIONS, MOD_WSGI_DIRECTIVES } from './mod-wsgi-directives.ts';

const PAGE = 'from-mod-wsgi.md';
const ROWS = migrationRows(PAGE);

describe('the page for people who come from mod_wsgi', () => {
  it('has every directive and every option of WSGIDaemonProcess once, and no others', () => {
    const names = ROWS.flatMap((row) => row.names);
    assert.deepEqual(names.toSorted(), [...MOD_WSGI_DIRECTIVES, ...DAEMON_OPTIONS].toSorted());
  });

  it('names keys of Viaduct that there are, or says that there is none', () => {
    assert.deepEqual(wrongRows(ROWS), []);
  });

  it('has commands that Viaduct takes', () => {
    for (const [theirs = '', ours = ''] of tableRows(sectionOf(readPage(PAGE), 'Commands'))) {
      const [command = ''] = codeWords(ours);
      assert.match(command, /^viaduct/, theirs);
      assert.deepEqual(readArguments(command.split(' ').slice(1)).errors, [], command);
    }
  });
});
