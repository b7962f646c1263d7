import type { Outcome } from './outcome.ts';

const TEXT_LENGTH_MAX = 40;

/** An outcome as the end of a sentence: `answers 403`, `sends /srv/a.css as text/css`. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'closed':
      return 'gives no answer';
    case 'answer': {
      const { status, location, content, type } = outcome;
      if (location !== null) return `redirects to ${location} (${status})`;
      return content === null || content === ''
        ? `answers ${status}`
        : `answers ${status} with ${quoted(content)}${asType(type)}`;
    }
    case 'file': {
      const { path, listing, status, type } = outcome;
      if (listing) return `lists ${path}`;
      return status < 300 ? `sends ${path}${asType(type)}` : `answers ${status} with ${path}`;
    }
    case 'backend':
      return `passes ${outcome.target} on to ${outcome.to.join(', ')}`;
    case 'unknown':
      return `is not known (${outcome.reason})`;
  }
}

function asType(type: string | null): string {
  return type === null ? '' : ` as ${type}`;
}

/** A text of a configuration on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text);
}
