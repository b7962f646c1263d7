import { join } from 'node:path';
import { Choices } from './choices.ts';
import { block, line, type Node } from './configuration.ts';
import { LocationGrammar } from './generate-location.ts';
import type { Place } from './place.ts';
import { ROOTS } from './site.ts';
import * as words from './vocabulary.ts';

/** The content of an `http` block. The same seed makes the same one. */
export function generate(seed: number, place: Place): readonly Node[] {
  const choices = new Choices(seed);
  const grammar = new LocationGrammar(choices, place);
  const defaultIndex = choices.whole(6);
  const servers = Array.from({ length: 1 + choices.whole(4) }, (_, index) =>
    server(choices, grammar, listens(choices, place, index, index === defaultIndex), place),
  );
  const usual = choices.chance(0.2) ? grammar.inherited() : [];
  const types = choices.chance(0.7)
    ? [block('types', [], [line('text/css', 'css'), line('text/html', 'html', 'HTM')])]
    : [];
  return [...types, ...maps(choices), ...upstreams(choices, place), ...usual, ...servers, declarations(place)];
}

/** A server that nothing reaches by chance. It declares the variables that others use. */
function declarations({ directory }: Place): Node {
  const groups = block('if', ['($uri', '~', '(?<first>a)(?<rest>b))'], []);
  return block('server', [], [line('listen', `unix:${directory}/declarations.sock`), line('set', '$v', ''), groups]);
}

function maps(choices: Choices): Node[] {
  return ['$m0', '$m1'].map((name, index) => {
    const sources = words.MAP_SOURCES.filter((source) => index > 0 || source !== '$m0');
    const entries = choices.some(words.MAP_ENTRIES, 5).map(([key, value]) => line(key, value));
    const flags = [
      ...(choices.chance(0.2) ? [line('hostnames')] : []),
      ...(choices.chance(0.1) ? [line('volatile')] : []),
    ];
    const hosts = flags.some((flag) => flag.name === 'hostnames')
      ? [line('*.example.org', 'sub'), line('www.example.*', 'www')]
      : [];
    return block('map', [choices.one(sources), name], [...flags, ...hosts, ...entries]);
  });
}

function upstreams(choices: Choices, { stubs }: Place): Node[] {
  const servers = [...stubs.http].map((address) =>
    line('server', address, ...(choices.chance(0.3) ? [choices.one(['backup', 'down', 'weight=2'])] : [])),
  );
  const [first] = stubs.http;
  return [block('upstream', ['group'], [line('server', first as string), ...servers.slice(1, 1 + choices.whole(3))])];
}

function server(choices: Choices, grammar: LocationGrammar, addresses: readonly Node[], place: Place): Node {
  const names = choices.some(words.NAMES, 3);
  const { directory } = place;
  const content: Node[] = [
    ...addresses,
    ...(names.length > 0 ? [line('server_name', ...names)] : []),
    ...(choices.chance(0.9) ? [line('root', join(directory, choices.one(ROOTS)))] : []),
    ...(choices.chance(0.15) ? [line('merge_slashes', 'off')] : []),
    ...(choices.chance(0.1) ? [line('underscores_in_headers', 'on')] : []),
    ...(choices.chance(0.1) ? [line('absolute_redirect', 'off')] : []),
    ...(choices.chance(0.1) ? [line('port_in_redirect', 'off')] : []),
    ...(choices.chance(0.1) ? [line('server_name_in_redirect', 'on')] : []),
    ...grammar.inherited(),
    ...(choices.chance(0.35) ? grammar.instructions(false) : []),
    ...(choices.chance(0.1) ? [grammar.tryFiles()] : []),
    ...grammar.locations(),
  ];
  return block('server', [], content);
}

function listens(
  choices: Choices,
  { ports: [plain, other, secure], certificate, key, directory }: Place,
  index: number,
  isDefault: boolean,
): Node[] {
  const addresses = [
    ...[`${plain}`, `127.0.0.1:${plain}`, `127.0.0.2:${plain}`, `*:${other}`, `${other}`, `127.0.0.1:${other}`],
    ...[`unix:${directory}/listen.sock`],
  ];
  const chosen = index === 0 ? [`${plain}`] : choices.some(addresses, 2);
  const all = chosen.length === 0 ? [`${plain}`] : chosen;
  const unique = all.filter(
    (each, at) => !all.slice(0, at).some((before) => before.replace('*:', '') === each.replace('*:', '')),
  );
  const flags = isDefault ? ['default_server'] : [];
  const plainLines = unique.map((address) => line('listen', address, ...flags));
  const secureLines = [
    ...(choices.chance(0.25) ? [line('listen', `127.0.0.1:${secure}`, 'ssl', ...flags)] : []),
    ...(choices.chance(0.1) ? [line('listen', `127.0.0.3:${other}`, 'ssl', ...flags)] : []),
  ];
  if (secureLines.length === 0) return plainLines;
  return [...plainLines, ...secureLines, line('ssl_certificate', certificate), line('ssl_certificate_key', key)];
}
