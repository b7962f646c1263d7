import { isIP } from 'node:net';
import type { Exchange } from './exchange.ts';
import type { VariableMap } from './model.ts';
import type { Template } from './template.ts';

/** The value that a `map` or a `geo` gives: exact keys, wildcards, patterns, the default. Keys ignore case. */
export function mapValue(exchange: Exchange, map: VariableMap): string {
  return exchange.evaluate(chooseValue(exchange, map));
}

/** What `geo` looks up in place of a text that is not an address, such as that of a client of a Unix socket. */
export const NO_ADDRESS = '255.255.255.255';

function chooseValue(exchange: Exchange, map: VariableMap): Template {
  const source = exchange.evaluate(map.source);
  const address = isIP(source) === 0 ? NO_ADDRESS : source;
  const found = map.networks.find(({ network }) => network.contains(address));
  if (found !== undefined) return found.value;
  const key = (map.hostnames ? source.replace(/\.$/, '') : source).toLowerCase();
  const exact = map.exact.get(key);
  if (exact !== undefined) return exact;
  const wildcard = map.hostnames ? wildcardOf(map.exact, key) : undefined;
  if (wildcard !== undefined) return wildcard;
  for (const { pattern, value } of map.patterns) if (exchange.match(pattern, source)) return value;
  return map.otherwise;
}

function wildcardOf(keys: ReadonlyMap<string, Template>, host: string): Template | undefined {
  const itself = keys.get(`.${host}`);
  if (itself !== undefined) return itself;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const found = keys.get(`*${host.slice(dot)}`) ?? keys.get(host.slice(dot));
    if (found !== undefined) return found;
  }
  for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
    const found = keys.get(`${host.slice(0, dot)}.*`);
    if (found !== undefined) return found;
  }
  return undefined;
}
