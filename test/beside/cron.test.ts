import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCron } from '../../src/beside/cron.ts';

/** The next `count` times after `after`, in the zone. */
async function timesOf(fields: string, after: string, count: number, zone = 'UTC'): Promise<string[]> {
  const next = await readCron(fields, zone);
  const times: string[] = [];
  let at: number | null = Date.parse(after);
  for (let i = 0; i < count && at !== null; i += 1) {
    at = next(at);
    if (at !== null) times.push(new Date(at).toISOString().replace(':00.000Z', 'Z'));
  }
  return times;
}

describe('readCron', () => {
  it('reads five fields, and names', async () => {
    assert.deepEqual(await timesOf('17 3 * * *', '2026-05-04T00:00Z', 2), ['2026-05-04T03:17Z', '2026-05-05T03:17Z']);
    assert.deepEqual(await timesOf('*/20 9-10 * * MON', '2026-05-04T09:00Z', 6), [
      ...['2026-05-04T09:20Z', '2026-05-04T09:40Z', '2026-05-04T10:00Z', '2026-05-04T10:20Z', '2026-05-04T10:40Z'],
      '2026-05-11T09:00Z',
    ]);
    assert.deepEqual(await timesOf('@daily', '2026-05-04T00:00Z', 1), ['2026-05-05T00:00Z']);
    assert.deepEqual(await timesOf('@hourly', '2026-05-04T00:00Z', 1), ['2026-05-04T01:00Z']);
  });

  it('runs on either day when the day of the month and of the week are given, as cron does', async () => {
    assert.deepEqual(await timesOf('0 0 13 * 5', '2026-05-04T12:00Z', 3), [
      '2026-05-08T00:00Z',
      '2026-05-13T00:00Z',
      '2026-05-15T00:00Z',
    ]);
  });

  it('runs a fixed time in a gap of the clock right after it, and a repeated one once', async () => {
    const zone = 'Europe/Zurich';
    assert.deepEqual(await timesOf('30 2 * * *', '2026-03-28T12:00Z', 2, zone), [
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
    assert.deepEqual(await timesOf('30 2 * * *', '2026-10-24T12:00Z', 2, zone), [
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  it('follows the clock for everything else', async () => {
    const zone = 'Europe/Zurich';
    assert.deepEqual(await timesOf('*/30 * * * *', '2026-03-29T00:30Z', 3, zone), [
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
      '2026-03-29T02:00Z',
    ]);
    assert.deepEqual(await timesOf('0 * * * *', '2026-10-25T00:00Z', 3, zone), [
      '2026-10-25T01:00Z',
      '2026-10-25T02:00Z',
      '2026-10-25T03:00Z',
    ]);
  });

  it('refuses everything else', async () => {
    for (const fields of ['', '* * * *', '* * * * * *', '61 * * * *', 'a * * * *', '@sometimes', '* * 32 * *'])
      await assert.rejects(async () => await readCron(fields, undefined), fields);
  });

  it('knows times that never come', async () => {
    assert.equal((await readCron('0 0 31 2 *', undefined))(Date.now()), null);
  });
});
