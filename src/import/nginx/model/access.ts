import type { Outcome } from '../../check/outcome.ts';
import type { Exchange } from './exchange.ts';
import type { AccessRule } from './model.ts';
import { type Network, parseNetwork } from './network.ts';
import { type Step, status } from './step.ts';
import { UnknownMeaning } from './unknown-meaning.ts';

/** Asks for the outcome of a subrequest. */
export type AskSubrequest = (exchange: Exchange, uri: string) => Outcome;

/**
 * Addresses, then the password, then the subrequest. Null lets the request pass. With `satisfy any`, a refusal waits for the other checks: it also
 * survives an error page that one of them causes.
 */
export function checkAccess(exchange: Exchange, ask: AskSubrequest): Step | null {
  if (exchange.isSubrequest) return null;
  const checks = [checkAddress, checkPassword, (each: Exchange) => checkSubrequest(each, ask)];
  const isAny = exchange.level.settings.satisfy === 'any';
  for (const check of checks) {
    const result = check(exchange);
    if (result === null) continue;
    if (result === 'closed') return { to: 'done', outcome: { kind: 'closed' } };
    if (result === 'allowed') {
      if (!isAny) continue;
      exchange.refusal = null;
      return null;
    }
    if (!isAny || (result !== 401 && result !== 403)) return status(result);
    if (exchange.refusal !== 401) exchange.refusal = result;
  }
  const { refusal } = exchange;
  exchange.refusal = null;
  return refusal === null ? null : status(refusal);
}

/** What a check says: null is nothing. `closed` ends the connection: a subrequest came to `return 444`. */
type Verdict = 'allowed' | 'closed' | number | null;

function checkAddress({ level, client }: Exchange): Verdict {
  const rule = level.settings.access.find((each) => contains(each, client));
  if (rule === undefined) return null;
  return rule.allows ? 'allowed' : 403;
}

function contains(rule: AccessRule, client: string): boolean {
  if (rule.network === 'all') return true;
  if (rule.network === 'unix:') return client === 'unix:';
  const network = known.get(rule) ?? parseNetwork(rule.network);
  if (network === null) throw new UnknownMeaning(rule.statement.text);
  known.set(rule, network);
  return network.contains(client);
}

/** The networks of rules. */
const known = new WeakMap<AccessRule, Network>();

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
  if (outcome.kind === 'closed') return 'closed';
  const answered = outcome.status ?? (exchange.isAuthorized ? 200 : 401);
  if (answered === 401 || answered === 403) return answered;
  return answered >= 200 && answered < 300 ? 'allowed' : 500;
}
