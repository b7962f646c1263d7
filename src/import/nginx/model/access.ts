import { BlockList, isIP } from 'node:net';
import type { Outcome } from '../../check/outcome.ts';
import type { Exchange } from './exchange.ts';
import type { AccessRule } from './model.ts';
import { type Step, status } from './step.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** Asks for the outcome of a subrequest. */
export type AskSubrequest = (exchange: Exchange, uri: string) => Outcome;

/** Addresses, then the password, then the subrequest. Null lets the request pass. */
export function checkAccess(exchange: Exchange, ask: AskSubrequest): Step | null {
  if (exchange.isSubrequest) return null;
  const checks = [checkAddress, checkPassword, (each: Exchange) => checkSubrequest(each, ask)];
  const isAny = exchange.level.settings.satisfy === 'any';
  let refusal: number | null = null;
  for (const check of checks) {
    const result = check(exchange);
    if (result === null) continue;
    if (result === 'allowed') {
      if (isAny) return null;
    } else if (!isAny || (result !== 401 && result !== 403)) return status(result);
    else if (refusal !== 401) refusal = result;
  }
  return refusal === null ? null : status(refusal);
}

/** What a check says: null is nothing. */
type Verdict = 'allowed' | number | null;

function checkAddress({ level, client }: Exchange): Verdict {
  const rule = level.settings.access.find((each) => contains(each, client));
  if (rule === undefined) return null;
  return rule.allows ? 'allowed' : 403;
}

function contains({ network, statement }: AccessRule, client: string): boolean {
  if (network === 'all') return true;
  if (network === 'unix:') return client === 'unix:';
  const [address = '', bits] = network.split('/');
  const family = isIP(address);
  if (family === 0) throw new UnknownMeaning(statement.text);
  if (isIP(client) !== family) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, bits === undefined ? (family === 4 ? 32 : 128) : Number(bits), type);
  return list.check(client, type);
}

function checkPassword(exchange: Exchange): Verdict {
  const { realm, hasPasswords } = exchange.level.settings;
  if (realm === null || !hasPasswords) return null;
  if (exchange.evaluate(realm) === 'off') return null;
  return exchange.isAuthorized ? 'allowed' : 401;
}

function checkSubrequest(exchange: Exchange, ask: AskSubrequest): Verdict {
  const { authRequest } = exchange.level.settings;
  if (authRequest === null) return null;
  const outcome = ask(exchange, authRequest);
  if (outcome.kind === 'unknown') throw new UnknownMeaning(outcome.reason);
  const answered = outcome.kind === 'closed' ? 444 : (outcome.status ?? (exchange.isAuthorized ? 200 : 401));
  if (answered === 401 || answered === 403) return answered;
  return answered >= 200 && answered < 300 ? 'allowed' : 500;
}
