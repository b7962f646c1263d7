import { basename } from 'node:path';

/** The servers whose configurations can be read. */
export type Kind = 'nginx' | 'gunicorn' | 'uwsgi' | 'apache' | 'procfile' | 'supervisor' | 'systemd';

export const KINDS: readonly Kind[] = ['nginx', 'gunicorn', 'uwsgi', 'apache', 'procfile', 'supervisor', 'systemd'];

/** Sections and directives that only Apache has. */
const APACHE =
  /^\s*(?:<(?:VirtualHost|Directory|Location|IfModule|Files|Macro)\b|(?:WSGI\w+|ServerRoot|DocumentRoot|LoadModule)\s)/im;

/** The server that a configuration file is for, judged by its name, then by its content; null if both leave it open. */
export function kindOf(path: string, text: string): Kind | null {
  const name = basename(path).toLowerCase();
  if (name.endsWith('.py')) return 'gunicorn';
  if (/^\s*\[uwsgi\]|^\s*<uwsgi[\s>]|^uwsgi:\s*$|^\s*\{\s*"uwsgi"\s*:/m.test(text)) return 'uwsgi';
  if (/^\s*\[program:[^\]]+\]/m.test(text)) return 'supervisor';
  if (/^\s*\[Service\]/m.test(text) && /^\s*ExecStart\s*=/m.test(text)) return 'systemd';
  if (APACHE.test(text)) return 'apache';
  if (/^\s*(?:http|server|events|upstream\s+\S+|location\s[^;{]*)\s*\{/m.test(text)) return 'nginx';
  if (name.includes('uwsgi')) return 'uwsgi';
  if (name.includes('nginx')) return 'nginx';
  if (name.startsWith('procfile') || /^web:\s*\S/m.test(text)) return 'procfile';
  return /^\s*(?:bind|workers|worker_class|wsgi_app|threads)\s*=/m.test(text) ? 'gunicorn' : null;
}
