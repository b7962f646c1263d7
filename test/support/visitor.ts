/** A response, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The path and query that gave this answer, after redirects. */
  readonly target: string;
}

export interface Visit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData | ReadableStream;
}

/** Repeated redirects end an answer's way, as in a browser. */
const REDIRECTS_MAX = 10;

/** A client with cookies, as browsers and API clients are. `fields` are sent with each request. */
export class Visitor {
  readonly #origin: string;
  readonly #fields: Readonly<Record<string, string>>;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string, fields: Readonly<Record<string, string>> = {}) {
    this.#origin = origin;
    this.#fields = fields;
  }

  /** Sends one request with any method. It follows no redirect. */
  async ask(method: string, target: string, { headers = {}, body }: Visit = {}): Promise<Answer> {
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(target, this.#origin), {
      method,
      headers: { ...this.#fields, ...(cookies === '' ? {} : { Cookie: cookies }), ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    return { status: response.status, headers: response.headers, text: await response.text(), target };
  }

  /** Follows the redirects of a GET to its page. */
  async get(target: string): Promise<Answer> {
    return this.follow(await this.ask('GET', target));
  }

  /** Sends a form as browsers do, and follows its redirects. */
  async submit(target: string, fields: Readonly<Record<string, string>> | FormData): Promise<Answer> {
    const isForm = fields instanceof FormData;
    const origin = { Origin: this.#pageOrigin(), Referer: `${this.#pageOrigin()}${target}` };
    const type = isForm ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = isForm ? fields : new URLSearchParams(fields).toString();
    return this.follow(await this.ask('POST', target, { headers: { ...origin, ...type }, body }));
  }

  async follow(answer: Answer): Promise<Answer> {
    let last = answer;
    for (let count = 0; last.status >= 301 && last.status <= 303; count += 1) {
      if (count === REDIRECTS_MAX)
        throw new Error(`${answer.target} redirects again and again, also to ${last.target}`);
      const { pathname, search } = new URL(last.headers.get('location') ?? '', new URL(last.target, this.#origin));
      last = await this.ask('GET', pathname + search);
    }
    return last;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  /** Where the visitor believes to be: a front-end proxy may have another scheme. */
  #pageOrigin(): string {
    const { host } = new URL(this.#origin);
    return `${this.#fields['X-Forwarded-Proto'] ?? 'http'}://${host}`;
  }

  #keep(cookie: string): void {
    const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(cookie) ?? [];
    if (value === '' || /max-age=0\b/i.test(attributes)) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}

/** The fields of HTTP's Basic authentication. */
export function basicAuth(user: string, password: string): { readonly Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** What a browser sends of the forms of a page if nobody changes them: values of fields, and the chosen options. Unchecked boxes are left out. */
export function formFields(page: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of page.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(tag, 'name');
    const isSent = /type="(?:radio|checkbox)"/.test(tag)
      ? /\bchecked\b/.test(tag)
      : !/type="(?:submit|file)"/.test(tag);
    if (name !== undefined && isSent) fields[name] = attribute(tag, 'value') ?? '';
  }
  for (const [, tag = '', options = ''] of page.matchAll(/(<select\b[^>]*>)([\s\S]*?)<\/select>/g)) {
    const name = attribute(tag, 'name');
    const option = /<option\b[^>]*\bselected\b[^>]*>/.exec(options) ?? /<option\b[^>]*>/.exec(options);
    if (name !== undefined && option !== null) fields[name] = attribute(option[0], 'value') ?? '';
  }
  return fields;
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}=["']([^"']*)["']`).exec(tag)?.[1];
}

/** Throws, with the text of the page, if it does not match. */
export function assertShows({ text, status }: Answer, pattern: RegExp): void {
  if (pattern.test(text)) return;
  const words = text.replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  throw new Error(`The page (status ${status}) does not show ${pattern}: ${words.slice(0, SHOWN_MAX)}`);
}

const SHOWN_MAX = 4000;
