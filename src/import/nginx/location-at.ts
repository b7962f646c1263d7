import { chooseLocation } from './model/choose-location.ts';
import { Exchange } from './model/exchange.ts';
import type { Address, Level, Location, Model, Server } from './model/model.ts';
import { UnknownMeaning } from './model/unknown-meaning.ts';

/** The location that nginx chooses for a path; null if none matches, or if a pattern decides that is not interpreted. */
export function locationAt(server: Server, path: string): Location | null {
  return levelAt(server, path)?.location ?? null;
}

/** What answers a path: a location, or the server where none matches. */
export interface Destination {
  readonly level: Level;
  readonly location: Location | null;
  /** Whether the location only adds a slash to the path. */
  readonly addsSlash: boolean;
}

/** What answers a path; null if a pattern decides that is not interpreted. */
export function levelAt(server: Server, path: string): Destination | null {
  const model: Pick<Model, 'servers'> = { servers: [server] };
  const probe = { address: '', secure: false, client: '', authorized: true, method: 'GET', target: path, fields: [] };
  const address: Address = { address: '', secure: false, servers: [server], defaultServer: server };
  const around = { model: model as Model, disk: () => null, find: () => '' };
  const exchange = new Exchange(around, probe, address, server, null);
  exchange.uri = path;
  try {
    const chosen = chooseLocation(exchange);
    return { level: chosen.location ?? server, ...chosen };
  } catch (error) {
    if (error instanceof UnknownMeaning) return null;
    throw error;
  }
}
