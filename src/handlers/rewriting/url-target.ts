import type { Request } from '../../http/message.ts';
import { type Groups, NO_ANSWER, NO_GROUPS, type PlaceholderMap } from '../../placeholders/placeholder.ts';
import type { Placeholders } from '../../placeholders/placeholders.ts';
import { parseTemplate } from '../../placeholders/template.ts';
import { UrlTemplate } from './url-template.ts';

/** Where a redirect or a rewrite leads: a `UrlTemplate`, or `{map.NAME}` alone, whose texts are such templates. */
export class UrlTarget {
  readonly #map: PlaceholderMap | null;
  readonly #templates: readonly (UrlTemplate | null)[];

  /**
   * `groups` are those of a pattern. `setting` is the name for messages.
   *
   * @throws ViaductError `SETTINGS` as `UrlTemplate` does
   */
  constructor(text: string, setting: string, placeholders: Placeholders, groups: Groups = NO_GROUPS) {
    const [first] = text.startsWith('{map.') ? parseTemplate(text, placeholders, { setting, groups }) : [];
    this.#map = typeof first === 'object' && `{${first.name}}` === text ? (first.map ?? null) : null;
    const texts = this.#map?.texts ?? [{ text, groups }];
    this.#templates = texts.map((one) =>
      one.text === '' && this.#map !== null ? null : new UrlTemplate(one.text, setting, placeholders, one.groups),
    );
  }

  /** All templates. */
  get templates(): readonly UrlTemplate[] {
    return this.#templates.filter((template) => template !== null);
  }

  /** The URL for `request`, as `UrlTemplate` fills it in; '' if the map has nothing for the request. */
  fill(request: Request, groups: readonly string[], shown = request): string | null {
    if (this.#map === null) return (this.#templates[0] as UrlTemplate).fill(request, groups, shown);
    const match = this.#map.find(request, NO_ANSWER);
    const template = this.#templates[match.index] ?? null;
    return template === null ? '' : template.fill(request, match.groups, shown);
  }
}
