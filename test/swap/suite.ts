import type { Case, PlayedCase } from './suite/case.ts';
import { CLIENTS } from './suite/client.ts';
import { REQUESTS } from './suite/requests.ts';
import { RESPONSES } from './suite/responses.ts';
import { UPLOADS } from './suite/uploads.ts';

/** Everything that each pair of servers is asked, with each framework. */
export const SUITE: readonly (Case | PlayedCase)[] = [...REQUESTS, ...UPLOADS, ...RESPONSES, ...CLIENTS];
