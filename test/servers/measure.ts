import { connect } from 'node:net';
import { hostname } from 'node:os';
import type { Address } from '../swap/addresses.ts';
import { interpret, isComplete, type Observation } from './observation.ts';
import { REQUESTS, type ServerRequest } from './requests.ts';

/** How long a server may take to close the connection after its response. */
const CLOSING_MS = 500;
/** How long a server may say nothing at all. */
const SILENT_MS = 3000;

export type Observations = Readonly<Record<string, Observation>>;

/** What the server at this address does with all requests, of which `atOnce` are under way at the same time. */
export async function measure(address: Address, atOnce = 6): Promise<Observations> {
  const observations = new Map<string, Observation>();
  const waiting = [...REQUESTS];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      observations.set(next.name, withoutAddress(await ask(address, next), address));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return Object.fromEntries(REQUESTS.map(({ name }) => [name, observations.get(name) as Observation]));
}

function ask(address: Address, { octets }: ServerRequest): Promise<Observation> {
  const isHead = octets.startsWith('HEAD');
  const answers = octets.split(' HTTP/1.1\r\n').length - 1 || 1;
  return new Promise((resolve) => {
    let received = '';
    let closed = false;
    const socket = connect({ ...address, noDelay: true });
    let timer = setTimeout(finish, SILENT_MS);
    function finish(): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(interpret(received, isHead, closed));
    }
    socket.on('connect', () => socket.write(Buffer.from(octets, 'latin1')));
    socket.on('error', () => {});
    socket.on('data', (block) => {
      received += block.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(finish, isComplete(received, isHead, answers) ? CLOSING_MS : SILENT_MS);
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
