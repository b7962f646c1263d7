import { chooseLocation } from './model/choose-location.ts';
import { Exchange } from './model/exchange.ts';
import type { Address, Location, Model, Server } from './model/model.ts';
import { UnknownMeaning } from './model/unknown-meaning.ts';

/** The location that nginx chooses for a path; null if none matches, or if a pattern decides that is not interpreted. */
export function locationAt(server: Server, path: string): Location | null {
  const model: Pick<Model, 'servers'> = { servers: [server] };
  const probe = { address: '', secure: false, client: '', authorized: true, method: 'GET', target: path, fields: [] };
  const address: Address = { address: '', secure: false, servers: [server], defaultServer: server };
  const around = { model: model as Model, disk: () => null, find: () => '' };
  const exchange = new Exchange(around, probe, address, server, null);
  exchange.uri = path;
  try {
    return chooseLocation(exchange).location;
  } catch (error) {
    if (error instanceof UnknownMeaning) return null;
    throw error;
  }
}
