import type { Disk, Outcome, Probe } from '../../check/outcome.ts';
import { type AskSubrequest, checkAccess } from './access.ts';
import { bytesOf } from './bytes.ts';
import { chooseLocation } from './choose-location.ts';
import { chooseAddress, chooseServer, validHost } from './choose-server.ts';
import { answerContent } from './content.ts';
import { decidesEarly } from './directives.ts';
import { answerStatus } from './error-page.ts';
import { escapePath } from './escape.ts';
import { Exchange } from './exchange.ts';
import type { Address, Level, Model } from './model.ts';
import { parseTarget, type RefusedTarget } from './parse-target.ts';
import { runInstructions } from './rewrite.ts';
import { type Step, status } from './step.ts';
import { UnknownMeaning } from './unknown-meaning.ts';
import { variable } from './variables.ts';

/**
 * What nginx does with a request. Backends are expected to answer, and with 200. The client's address is the one after `real_ip_header`.
 *
 * The phases are those of nginx's development guide: server rewrite, location, rewrite, access, content.
 */
export function decide(model: Model, probe: Probe, disk: Disk): Outcome {
  return decideFrom(model, probe, disk).outcome;
}

export interface Decided {
  readonly outcome: Outcome;
  /** The server or the first location that the request reached; null if it reached none. */
  readonly from: Level | null;
  /** The level that decided in the end. */
  readonly last: Level | null;
}

/** As `decide`, with what decided. */
export function decideFrom(model: Model, probe: Probe, disk: Disk): Decided {
  const address = chooseAddress(model, probe.address);
  if (address === null) return { outcome: { kind: 'closed' }, from: null, last: null };
  const exchange = new Exchange({ model, disk, find: variable }, probe, address, address.defaultServer, null);
  const outcome = outcomeOf(() => runPhases(exchange, receive(exchange, address)));
  return { outcome, from: exchange.first ?? exchange.server, last: exchange.level };
}

function outcomeOf(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof UnknownMeaning)) throw error;
    return { kind: 'unknown', reason: error.message };
  }
}

/** Reads the request line and the fields, and chooses the server. */
function receive(exchange: Exchange, address: Address): Step {
  const { probe } = exchange;
  const target = parseTarget(bytesOf(probe.target), exchange.server.mergesSlashes);
  if ('refused' in target) return refuse(exchange, target.refused);
  exchange.uri = target.path;
  exchange.args = target.args;
  exchange.requestUri = target.received;
  exchange.isQuoted = target.isQuoted;
  exchange.hasPlus = target.hasPlus;
  exchange.validRequestUri = !target.lacksPath;
  if (target.host !== null && !enterServer(exchange, address, target.host)) return refuse(exchange, 'path');
  const fields = acceptedFields(exchange);
  const hosts = fields.filter(([name]) => name === 'host');
  for (const [index, field] of hosts.entries()) {
    // the fields after a faulty one are not read
    exchange.fields = fields.slice(0, fields.indexOf(field) + 1);
    if (index > 0 || validHost(field[1]) === null) return refuse(exchange, 'field');
    if (target.host === null) enterServer(exchange, address, field[1]);
  }
  exchange.fields = fields;
  if (hosts.length === 0) {
    if (target.host === null) exchange.server = chooseServer(address, '').server;
    exchange.enter(null);
    return status(400);
  }
  if (address.secure && !probe.secure) return status(497);
  if (probe.method === 'TRACE' || probe.method === 'CONNECT') return status(405);
  return { to: 'server' };
}

/** Enters the server of a name, unless the name is one that nginx refuses. */
function enterServer(exchange: Exchange, address: Address, written: string): boolean {
  const host = validHost(written);
  if (host === null) return false;
  const { server, match } = chooseServer(address, host);
  exchange.host = host;
  exchange.server = server;
  exchange.enter(null);
  if (match !== null) exchange.keepGroups(match);
  return true;
}

/** Refuses a request while nginx reads it: what comes after the fault is not known. */
function refuse(exchange: Exchange, where: RefusedTarget['refused'] | 'field'): Step {
  exchange.isAuthorized = false;
  if (where === 'line') {
    exchange.method = '';
    exchange.protocol = '';
  }
  return status(400);
}

/** Fields with names in lower case. nginx drops those with unusual names. */
function acceptedFields({ probe, server }: Exchange): [string, string][] {
  const usual = server.acceptsUnderscores ? /^[\w-]+$/ : /^[a-zA-Z0-9-]+$/;
  return probe.fields
    .filter(([name]) => server.keepsInvalidFields || usual.test(name))
    .map(([name, value]) => [name.toLowerCase(), bytesOf(value)]);
}

const askSubrequest: AskSubrequest = (parent, uri) => {
  const exchange = new Exchange(parent.around, parent.probe, parent.address, parent.server, parent);
  exchange.uri = uri;
  exchange.requestUri = parent.requestUri;
  exchange.host = parent.host;
  exchange.fields = parent.fields;
  exchange.method = 'GET';
  exchange.isAuthorized = parent.isAuthorized;
  exchange.isInternal = true;
  exchange.validRequestUri = false;
  return runPhases(exchange, { to: 'server' });
};

function runPhases(exchange: Exchange, start: Step): Outcome {
  let step = start;
  while (step.to !== 'done') {
    if (step.to === 'status') step = answerStatus(exchange, step.status);
    else step = PHASES[step.to](exchange);
  }
  return step.outcome;
}

const PHASES: Readonly<Record<'server' | 'location' | 'rewrite' | 'access' | 'content', (exchange: Exchange) => Step>> =
  {
    server: (exchange) => {
      refuseOpaque(exchange, decidesEarly);
      const result = runInstructions(exchange, exchange.server.instructions);
      return result === null || result === 'end' ? { to: 'location' } : result;
    },
    location: findLocation,
    rewrite: (exchange) => {
      refuseOpaque(exchange, decidesEarly);
      // without a location, the directives of the server have run already
      const instructions = exchange.location === null ? [] : exchange.level.instructions;
      const result = runInstructions(exchange, instructions);
      if (result !== null && result !== 'end') return result;
      if (!exchange.uriChanged) return { to: 'access' };
      exchange.uriChangesLeft -= 1;
      if (exchange.uriChangesLeft === 0) return status(500);
      exchange.enter(null);
      return { to: 'location' };
    },
    access: (exchange) => {
      refuseOpaque(exchange, () => true);
      return checkAccess(exchange, askSubrequest) ?? { to: 'content' };
    },
    content: answerContent,
  };

function findLocation(exchange: Exchange): Step {
  exchange.uriChanged = false;
  const { location, addsSlash } = chooseLocation(exchange);
  exchange.location = location;
  exchange.level = location ?? exchange.server;
  exchange.first ??= exchange.level;
  if (location?.isInternal && !exchange.isInternal) return status(404);
  exchange.enter(location);
  if (addsSlash && location !== null) {
    exchange.redirectTo = `${escapePath(location.path)}${exchange.args === '' ? '' : `?${exchange.args}`}`;
    return status(301);
  }
  return { to: 'rewrite' };
}

function refuseOpaque({ level }: Exchange, counts: (name: string) => boolean): void {
  const opaque = level.settings.opaque.find(({ name }) => counts(name));
  if (opaque !== undefined) throw new UnknownMeaning(opaque.text);
}
