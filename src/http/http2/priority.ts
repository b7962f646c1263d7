/** How urgent a response is if nobody says otherwise (RFC 9218 section 4.1): 0 is the most urgent, 7 the least. */
export const URGENCY_DEFAULT = 3;
export const URGENCY_MAX = 7;

/** The priority of a response: its urgency, and whether its parts are useful before it is complete. */
export interface Priority {
  readonly urgency: number;
  readonly incremental: boolean;
}

/**
 * The priority of a response about which nobody said anything. RFC 9218 would send such responses one after the other; a client without
 * priorities is served better if none of them waits for another one.
 */
export const NO_PRIORITY: Priority = { urgency: URGENCY_DEFAULT, incremental: true };

/** Reads the value of a Priority field (RFC 9218 section 4): `u=1, i`. Unknown parameters are ignored. */
export function parsePriority(value: string): Priority {
  let urgency = URGENCY_DEFAULT;
  let incremental = false;
  for (const item of value.split(',')) {
    const [key = '', parameter = ''] = item.trim().split(/[;]/, 1)[0]?.split('=') ?? [];
    if (key === 'u' && /^[0-7]$/.test(parameter)) urgency = Number(parameter);
    else if (key === 'i') incremental = parameter === '' || parameter === '?1';
  }
  return { urgency, incremental };
}
