import { connect } from 'node:net';
import { hostname } from 'node:os';
import type { Address } from '../swap/addresses.ts';
import { interpret, isComplete, type Observation } from './observation.ts';
import { REQUESTS, type ServerRequest } from './requests.ts';

/** How long a server may take to close the connection after its response, and how long it may be silent, in ms. */
interface Patience {
  readonly closing: number;
  readonly silent: number;
}

const USUAL: Patience = { closing: 500, silent: 2000 };
/** For a server that seems to have changed, so that a busy machine does not look like another server. */
const LONG: Patience = { closing: 1500, silent: 8000 };

export type Observations = Readonly<Record<string, Observation>>;

/**
 * What the server at this address does with all requests, of which `atOnce` are under way at the same time. Silence and connections that
 * stay open show only in time: if the result is not as expected, all is asked again with more patience.
 */
export async function measure(
  address: Address,
  isExpected: (observations: Observations) => boolean,
  atOnce = 6,
): Promise<Observations> {
  const first = await askAll(address, atOnce, USUAL);
  return isExpected(first) ? first : askAll(address, atOnce, LONG);
}

async function askAll(address: Address, atOnce: number, patience: Patience): Promise<Observations> {
  const observations = new Map<string, Observation>();
  const waiting = [...REQUESTS];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      observations.set(next.name, await ask(address, next, patience));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return Object.fromEntries(REQUESTS.map(({ name }) => [name, observations.get(name) as Observation]));
}

function ask(address: Address, { octets }: ServerRequest, { closing, silent }: Patience): Promise<Observation> {
  const isHead = octets.startsWith('HEAD');
  const answers = octets.split(' HTTP/1.1\r\n').length - 1 || 1;
  return new Promise((resolve) => {
    let received = '';
    let closed = false;
    const socket = connect({ ...address, noDelay: true });
    let timer = setTimeout(finish, silent);
    function finish(): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(withoutAddress(interpret(received, isHead, closed), address));
    }
    socket.on('connect', () => socket.write(Buffer.from(octets, 'latin1')));
    socket.on('error', () => {});
    socket.on('data', (block) => {
      received += block.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(finish, isComplete(received, isHead, answers) ? closing : silent);
    });
    socket.on('end', () => {
      closed = true;
    });
    socket.on('close', () => {
      closed = true;
      finish();
    });
  });
}

/** The observation without what belongs to this run. */
function withoutAddress(observation: Observation, { host, port }: Address): Observation {
  const text = JSON.stringify(observation)
    .replaceAll(host, 'SERVER-ADDRESS')
    .replaceAll('127.0.0.1', 'CLIENT-ADDRESS')
    .replaceAll(`"SERVER_NAME":"${hostname()}"`, '"SERVER_NAME":"HOST-NAME"')
    .replaceAll(new RegExp(`:${port}([,}])`, 'g'), ':"PORT, as a number"$1')
    .replaceAll(new RegExp(`\\b${port}\\b`, 'g'), 'PORT')
    .replaceAll(/"REMOTE_PORT":"?\d+"?/g, '"REMOTE_PORT":"a port"');
  return JSON.parse(text) as Observation;
}
