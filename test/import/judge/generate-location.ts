import { join } from 'node:path';
import type { Choices } from './choices.ts';
import { block, line, type Node } from './configuration.ts';
import type { Place } from './place.ts';
import { ROOTS } from './site.ts';
import * as words from './vocabulary.ts';

const FLAGS = [['last'], ['break'], ['last'], ['break'], []];
const TARGETS = [
  '/404.html',
  '@one',
  '@two',
  '/a/x.php',
  'http://other.example/error',
  '/app/error?e=1',
  '/zz',
  '/index.html',
  '/50x.html?$args',
];

/** Makes locations and what stands in them. */
export class LocationGrammar {
  readonly #choices: Choices;
  readonly #place: Place;

  constructor(choices: Choices, place: Place) {
    this.#choices = choices;
    this.#place = place;
  }

  /** The locations of a server. */
  locations(): Node[] {
    const choices = this.#choices;
    const named = choices
      .some(['@one', '@two'], 2)
      .map((name) => block('location', [name], this.#content('', 'named')));
    const auth = choices.chance(0.5) ? [this.#authorization()] : [];
    return [...this.#mixed('', words.PREFIXES, 3), ...named, ...auth];
  }

  #mixed(outer: string, prefixes: readonly string[], depth: number): Node[] {
    const choices = this.#choices;
    const paths = choices.some([...new Set(prefixes)], depth === 3 ? 5 : 2).map((path) => {
      const modifier = choices.chance(0.2) ? ['^~'] : [];
      return block('location', [...modifier, path], this.#content(path, 'prefix', depth));
    });
    const exact = depth === 3 ? choices.some(words.EXACT, 2) : choices.some(prefixes, 1);
    const exacts = exact
      .filter((path) => path !== outer || depth === 3)
      .map((path) => block('location', ['=', path], this.#content(path, 'exact')));
    const patterns = choices.some(words.PATTERNS, depth === 3 ? 3 : 1).map((pattern) => {
      const modifier = choices.chance(0.25) ? '~*' : '~';
      return block('location', [modifier, pattern], this.#content('', 'pattern', depth));
    });
    return [...paths, ...exacts, ...patterns];
  }

  #authorization(): Node {
    const { stubs } = this.#place;
    const answers = [
      line('proxy_pass', `http://${stubs.http[0]}`),
      line('return', '204'),
      line('return', '403'),
      line('return', '500'),
    ];
    const answer = this.#choices.chance(0.7) ? (answers[0] as Node) : this.#choices.one(answers);
    return block('location', ['=', '/_auth'], [line('internal'), answer]);
  }

  #content(path: string, kind: 'prefix' | 'exact' | 'pattern' | 'named' | 'if', depth = 0): Node[] {
    const choices = this.#choices;
    const isNesting = depth > 1 && (kind === 'prefix' || kind === 'pattern') && choices.chance(0.3);
    const nested = !isNesting
      ? []
      : kind === 'pattern'
        ? this.#mixed('', [], 1)
        : this.#mixed(
            path,
            words.NESTED.map((end) => path + end).filter((each) => each !== path),
            depth - 1,
          );
    return [
      ...(kind === 'prefix' && choices.chance(0.06) ? [line('internal')] : []),
      ...this.inherited(),
      ...(choices.chance(0.35) ? this.instructions(true) : []),
      ...this.#files(path, kind),
      ...(choices.chance(0.2) ? [this.tryFiles()] : []),
      ...(choices.chance(0.35) ? this.#passes(kind) : []),
      ...(choices.chance(0.1) ? [this.#limit()] : []),
      ...nested,
    ];
  }

  #files(path: string, kind: string): Node[] {
    const choices = this.#choices;
    const root = join(this.#place.directory, choices.one(ROOTS));
    if (choices.chance(0.15)) return [line('root', choices.chance(0.2) ? `${root}/` : root)];
    if (kind === 'named' || !choices.chance(0.25)) return [];
    if (kind === 'pattern') return [line('alias', `${root}${choices.one(['/$1', '/a/$1', '', '/static/', '/$uri'])}`)];
    const ends = path.endsWith('/') ? ['/', '/a/', '/static/', ''] : ['/a', '', '/b', '/dir', '/'];
    return [line('alias', `${root}${choices.one(ends)}`)];
  }

  tryFiles(): Node {
    const choices = this.#choices;
    const files = choices.some(
      ['$uri', '$uri/', '$uri.html', '/index.html', '$uri/index.html', '/a$uri', '/dir/', '$1', 'x.css'],
      3,
    );
    const last = choices.one([
      '=404',
      '@one',
      '@two',
      '/index.html',
      '/app/?$args',
      '=403',
      '$uri/index.html',
      '/a/x.php?q=$uri',
      '/static/a.css',
    ]);
    return line('try_files', ...(files.length === 0 ? ['$uri'] : files), last);
  }

  #passes(kind: string): Node[] {
    const choices = this.#choices;
    const { stubs } = this.#place;
    const plain = [...stubs.http, 'group'].map((address) => `http://${address}`);
    const uris = ['', '', '/', '/x', '/x/', '/x?q=1'];
    const isPlain = kind !== 'prefix' && kind !== 'exact';
    const target = choices.one(plain);
    const uri = isPlain ? '' : choices.one(uris);
    const [first] = stubs.http;
    const variable = [
      `http://${first}$uri`,
      `http://${first}/x$request_uri`,
      `http://$v_backend$uri$is_args$args`,
      'http://group$v',
    ];
    const separator = target.startsWith('http://unix:') && uri !== '' ? ':' : '';
    const pick = choices.whole(10);
    if (pick === 0 && kind !== 'if') {
      return [line('uwsgi_pass', stubs.uwsgi), ...this.#params()];
    }
    if (pick === 1) return [line('proxy_pass', choices.one(variable.filter((each) => !each.includes('$v'))))];
    const withoutFields = kind !== 'if' && choices.chance(0.05) ? [line('proxy_pass_request_headers', 'off')] : [];
    return [line('proxy_pass', `${target}${separator}${uri}`), ...withoutFields];
  }

  #params(): Node[] {
    const usual = [
      line('uwsgi_param', 'REQUEST_URI', '$request_uri'),
      line('uwsgi_param', 'PATH_INFO', '$document_uri'),
    ];
    const more = [
      line('uwsgi_param', 'QUERY_STRING', '$query_string'),
      line('uwsgi_param', 'HTTP_X_A', '$arg_a'),
      line('uwsgi_param', 'X', '$arg_b', 'if_not_empty'),
    ];
    return [...usual, ...this.#choices.some(more, 3)];
  }

  #limit(): Node {
    const choices = this.#choices;
    const content = [
      ...choices.some([line('deny', 'all'), line('allow', '127.0.0.1')], 2),
      ...(choices.chance(0.2) ? [line('proxy_pass', `http://${this.#place.stubs.http[1]}`)] : []),
      ...(choices.chance(0.2) ? this.#password() : []),
    ];
    return block('limit_except', choices.one([['GET'], ['GET', 'POST'], ['POST'], ['DELETE']]), content);
  }

  #password(): Node[] {
    return [
      line('auth_basic', this.#choices.one(['site', 'site', 'off', '$m0'])),
      line('auth_basic_user_file', join(this.#place.directory, 'passwords')),
    ];
  }

  /** Directives that levels inherit. */
  inherited(): Node[] {
    const choices = this.#choices;
    const maybe = (share: number, make: () => Node[]) => (choices.chance(share) ? make() : []);
    return [
      ...maybe(0.15, () => choices.some(['X-One', 'X-Two', 'Cache-Control'], 2).map((name) => this.#field(name))),
      ...maybe(0.12, () => [line('expires', choices.one(words.EXPIRES))]),
      ...maybe(0.12, () =>
        choices.some(words.NETWORKS, 3).map((network) => line(choices.one(['allow', 'deny']), network)),
      ),
      ...maybe(0.09, () => this.#password()),
      ...maybe(0.04, () => [line('auth_request', choices.one(['/_auth', '/_auth', 'off']))]),
      ...maybe(0.04, () => [line('proxy_method', choices.one(['POST', '$http_x_a', 'PUT']))]),
      ...maybe(0.15, () => [line('satisfy', choices.one(['any', 'all']))]),
      ...maybe(0.2, () => [this.#errorPage(), ...maybe(0.3, () => [this.#errorPage()])]),
      ...maybe(0.06, () => [line('recursive_error_pages', 'on')]),
      ...maybe(0.15, () => [
        line(
          'index',
          ...choices.one([
            ['index.php', 'index.html'],
            ['x.html'],
            ['/index.html'],
            ['index$arg_a.html', '/a/x.php'],
            ['y'],
          ]),
        ),
      ]),
      ...maybe(0.1, () => [line('autoindex', choices.one(['on', 'off']))]),
      ...maybe(0.1, () => [line('default_type', 'application/octet-stream')]),
      ...maybe(0.04, () => [block('types', [], [])]),
      ...maybe(0.15, () =>
        choices
          .some(['Host', 'X-Real-IP', 'X-A', 'X-Uri', 'Connection'], 3)
          .map((name) =>
            line(
              'proxy_set_header',
              name,
              choices.one([...words.TEXTS, '', '$proxy_host', '$proxy_add_x_forwarded_for']),
            ),
          ),
      ),
    ];
  }

  #field(name: string): Node {
    return line('add_header', name, this.#choices.one(words.TEXTS), ...(this.#choices.chance(0.3) ? ['always'] : []));
  }

  #errorPage(): Node {
    const choices = this.#choices;
    const statuses = choices.some(['403', '404', '405', '401', '500', '400'], 2);
    const status = choices.one([[], [], ['='], ['=200'], ['=403'], ['=301']]);
    return line('error_page', ...(statuses.length === 0 ? ['404'] : statuses), ...status, choices.one(TARGETS));
  }

  /** Directives of the rewrite module. */
  instructions(inLocation: boolean): Node[] {
    const choices = this.#choices;
    return Array.from({ length: 1 + choices.whole(2) }, () => {
      if (!choices.chance(0.4)) return this.#instruction();
      const content = [
        ...(choices.chance(0.8) ? [this.#instruction()] : []),
        ...(inLocation && choices.chance(0.3) ? [this.#field('X-If')] : []),
        ...(inLocation && choices.chance(0.2) ? this.#passes('if') : []),
        ...(inLocation && choices.chance(0.1) ? [line('root', join(this.#place.directory, choices.one(ROOTS)))] : []),
      ];
      return block('if', choices.one(words.CONDITIONS), content);
    });
  }

  #instruction(): Node {
    const choices = this.#choices;
    switch (choices.whole(7)) {
      case 0:
        return line(
          'return',
          choices.one(['403', '404', '444', '200', '405', '204', 'https://other.example$uri', '$scheme://$host/b']),
        );
      case 1:
        return line('return', choices.one(['200', '404', '403']), choices.one(words.TEXTS));
      case 2:
        return line(
          'return',
          choices.one(['301', '302', '303', '307', '308']),
          choices.one(['/b', 'https://$host$request_uri', '/a/$1?x', 'http://other.example$uri']),
        );
      case 3:
        return line('set', choices.one(['$v', '$v', '$args', '$v']), choices.one(words.TEXTS));
      case 4:
        return choices.chance(0.3)
          ? line('break')
          : line(
              'rewrite',
              choices.one(words.REWRITE_PATTERNS),
              choices.one(words.REDIRECTS),
              ...choices.one([['permanent'], ['redirect']]),
            );
      default:
        return line(
          'rewrite',
          choices.one(words.REWRITE_PATTERNS),
          choices.one(words.REPLACEMENTS),
          ...choices.one(FLAGS),
        );
    }
  }
}
