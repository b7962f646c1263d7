/** A table with a command, and perhaps a name. */
export interface Nameable {
  readonly command: readonly string[];
  readonly name?: string | undefined;
}

/**
 * The name of a sidecar or schedule: the one that is written; otherwise `clearsessions` of `manage.py clearsessions`, `huey` of `python -m huey`,
 * `celery` of `bin/celery worker`.
 */
export function nameOf({ command: all, name: written }: Nameable): string {
  if (written !== undefined) return written;
  const parts = all.filter((word, index) => !(index === 0 && /(?:^|\/)python[\d.]*$/.test(word)) && word !== '-m');
  const [first = '', second = ''] = parts;
  const chosen = /\.py$/.test(first) && /^[A-Za-z0-9]/.test(second) ? second : first;
  const base = (chosen.split('/').at(-1) ?? '').replace(/\.py$/, '').replace(/[^A-Za-z0-9_.-]/g, '-');
  return base.slice(0, 64) || 'command';
}
