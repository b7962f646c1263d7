import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const MODULE = JSON.stringify(join(import.meta.dirname, '../../src/workers/request-body.js'));

/** Receives 45,000 bytes into a spool file and prints the outcome. */
const PROGRAM = `
const { receiveBody } = await import(${MODULE});
const body = {
  length: 45000,
  trailers: [],
  start(sink) { sink.write(Buffer.alloc(45000)); sink.end(); },
  pause() {}, resume() {}, cancel() {},
};
receiveBody(
  body,
  { bodyMemoryBytesMax: 1000, directory: () => process.argv[1] },
  ({ length }) => console.log('received', length),
  (error, isServerError) => console.log('failed', error.code, isServerError),
);
`;

function receive(fileBlocksMax: string): { readonly output: string; readonly left: number } {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-spool-'));
  try {
    const command = `ulimit -f ${fileBlocksMax}; exec "$0" --input-type=module -e "$1" "$2"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, PROGRAM, directory], {
      encoding: 'utf8',
    });
    return { output: stdout + stderr, left: stdout.startsWith('failed') ? readdirSync(directory).length : 0 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('content that goes to a file', () => {
  it('is received when the file takes all of it', () => {
    assert.equal(receive('unlimited').output, 'received 45000\n');
  });

  it('is a failure of the server, and leaves no file, when the last block does not fit', () => {
    assert.deepEqual(receive('40'), { output: 'failed EFBIG true\n', left: 0 });
  });
});
