import { SocketClient } from '../support/socket-client.ts';
import { within } from '../support/wait.ts';
import type { FuzzedDoor } from './doors.ts';
import { judgeAnswer } from './judges.ts';
import { mutate } from './mutate.ts';
import { SEEDS } from './seeds.ts';
import type { Target } from './target.ts';

/** Connections at a time. */
const WIDTH = 32;
/** Longest wait for the end of a connection whose client has sent all. The longest time-out of the target is 2 s. */
const END_MS = 20_000;

/** Sends `cases` mutated messages through a door. Throws at the first case that the server does not end, or answers malformed. */
export async function fuzz(target: Target, door: FuzzedDoor, random: () => number, cases: number): Promise<void> {
  let remaining = cases;
  const lane = async (): Promise<void> => {
    while (remaining > 0) {
      remaining -= 1;
      const octets = mutate(random, SEEDS[door]);
      const problem = await sendCase(target, door, random, octets);
      if (problem !== null) throw new Error(`${door}: ${problem}, after ${JSON.stringify(octets)}`);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
}

/** Sends one case in random pieces. Returns what was wrong with the behaviour of the server, null if nothing was. */
async function sendCase(
  target: Target,
  door: FuzzedDoor,
  random: () => number,
  octets: string,
): Promise<string | null> {
  const client = await SocketClient.open(target.door(door));
  const pieces = 1 + Math.floor(random() * 3);
  for (let piece = 0; piece < pieces; piece += 1) {
    const from = Math.floor((octets.length * piece) / pieces);
    client.send(octets.slice(from, Math.floor((octets.length * (piece + 1)) / pieces)));
    if (piece < pieces - 1) await client.flushed();
  }
  const leaves = random();
  if (leaves < 0.1) client.close();
  else if (leaves < 0.6) client.socket.end();
  try {
    await within(END_MS, 'the end of the connection', () => client.closed);
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.close();
  }
  return judgeAnswer(door, client.received);
}
