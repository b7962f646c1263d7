import { isBelow, trimmed } from './sections.ts';
import type { Directive } from './tree.ts';

/** What answers the paths below a prefix. */
export type Answer =
  | { readonly kind: 'files'; readonly path: string }
  | { readonly kind: 'application'; readonly script: string; readonly group: string | null }
  | { readonly kind: 'backend'; readonly url: string }
  /** Nothing that Viaduct has. */
  | { readonly kind: 'none'; readonly reason: string };

export interface Mapping {
  readonly directive: Directive;
  /** Without a slash at its end; '' for the whole site. */
  readonly prefix: string;
  /** Whether the directive writes the slash, so that the prefix itself is not mapped. */
  readonly hasSlash: boolean;
  readonly answer: Answer;
}

/** The mappings of a server in the order in which Apache tries them; the first one that covers a path counts. */
export function mappingsOf(all: readonly Directive[]): Mapping[] {
  const backends = all.flatMap(backendOf);
  const located = all.filter(({ name }) => name === 'location').flatMap(locatedBackends);
  const aliases = all.flatMap(aliasOf);
  const scripts = all.flatMap((one) => scriptOf(one, all));
  const root = all.find(({ name }) => name === 'documentroot');
  const files: Mapping[] =
    root === undefined
      ? []
      : [
          {
            directive: root,
            prefix: '',
            hasSlash: false,
            answer: filesAt(root.args[0] ?? ''),
          },
        ];
  return [...backends, ...located, ...aliases, ...scripts, ...files];
}

/** The mapping of a path, by the order of `mappingsOf`. */
export function mappingAt(url: string, mappings: readonly Mapping[]): Mapping | null {
  const found = mappings.find(({ prefix }) => isBelow(url, prefix));
  // ProxyPass /x ! excludes a path from the backends
  if (found === undefined || found.answer.kind !== 'backend' || found.answer.url !== '!') return found ?? null;
  return mappings.find(({ prefix, answer }) => answer.kind !== 'backend' && isBelow(url, prefix)) ?? null;
}

function mapping(directive: Directive, url: string, answer: Answer): Mapping {
  return { directive, prefix: trimmed(url), hasSlash: /.\/$/.test(url), answer };
}

function backendOf(directive: Directive): Mapping[] {
  const [url = '', target = ''] = directive.args;
  return directive.name === 'proxypass' && target !== ''
    ? [mapping(directive, url, { kind: 'backend', url: target })]
    : [];
}

/** `<Location /x>` with a `ProxyPass` that has only a target. */
function locatedBackends(section: Directive): Mapping[] {
  return (section.children ?? [])
    .filter(({ name }) => name === 'proxypass')
    .map((directive) => mapping(directive, section.args[0] ?? '', { kind: 'backend', url: directive.args[0] ?? '' }));
}

function aliasOf(directive: Directive): Mapping[] {
  const { name, args } = directive;
  const [url = '', path = ''] = args;
  if (name === 'alias') return [mapping(directive, url, filesAt(path))];
  if (name === 'scriptalias')
    return [mapping(directive, url, { kind: 'none', reason: 'Viaduct does not run CGI programs' })];
  return [];
}

/** Without a path, the directive says nothing that Viaduct could serve. */
function filesAt(path: string): Answer {
  const plain = trimmed(path);
  return plain === '' ? { kind: 'none', reason: 'it has no directory' } : { kind: 'files', path: plain };
}

function scriptOf(directive: Directive, all: readonly Directive[]): Mapping[] {
  const { name, args } = directive;
  if (name !== 'wsgiscriptalias') return [];
  const [url = '', script = '', ...options] = args;
  const own = options.find((option) => /^process-group=/i.test(option))?.replace(/^[^=]*=/, '');
  const located = all.find(
    (one) =>
      one.name === 'location' &&
      isBelow(trimmed(url), trimmed(one.args[0] ?? '')) &&
      groupIn(one.children ?? []) !== null,
  );
  const group = own ?? groupIn(located?.children ?? []) ?? groupIn(all);
  if (script.endsWith('/'))
    return [mapping(directive, url, { kind: 'none', reason: 'each script of a directory needs a route of its own' })];
  return [mapping(directive, url, { kind: 'application', script, group: group === '%{GLOBAL}' ? null : group })];
}

function groupIn(all: readonly Directive[]): string | null {
  return all.find(({ name }) => name === 'wsgiprocessgroup')?.args[0] ?? null;
}
