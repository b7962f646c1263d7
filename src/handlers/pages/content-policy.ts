/** Whether the policies of a page (Content Security Policy, in a field or in `<meta>`) let it load scripts from its own server. */
export function allowsOwnScripts(policies: readonly string[], html: string): boolean {
  return [...policies, ...metaPolicies(html)].flatMap((each) => each.split(',')).every(allows);
}

/** Policies in `<meta http-equiv>`: one whose content cannot be found forbids everything. */
function metaPolicies(html: string): readonly string[] {
  const tags = html.match(/<meta\b[^>]*http-equiv\s*=\s*["']?content-security-policy\b[^>]*>/gi) ?? [];
  return tags.map((tag) => {
    const [, double, single] = /\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag) ?? [];
    return double ?? single ?? "default-src 'none'";
  });
}

/** CSP Level 3, sections 6.1.11 and 6.7.2: of the directives that can hold, the most specific one counts. Of two with one name, the first. */
function allows(policy: string): boolean {
  const directives = new Map<string, readonly string[]>();
  for (const directive of policy.split(';')) {
    const [name = '', ...values] = directive.trim().toLowerCase().split(/\s+/);
    if (name !== '' && !directives.has(name)) directives.set(name, values);
  }
  if (directives.has('sandbox') && directives.get('sandbox')?.includes('allow-scripts') !== true) return false;
  const sources = directives.get('script-src-elem') ?? directives.get('script-src') ?? directives.get('default-src');
  if (sources === undefined) return true;
  if (sources.includes("'strict-dynamic'")) return false;
  return sources.includes("'self'") || sources.includes('*');
}
