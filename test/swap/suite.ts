import type { Case, ScriptedCase } from './suite/case.ts';
import { CLIENTS } from './suite/client.ts';
import { REQUESTS } from './suite/requests.ts';
import { RESPONSES } from './suite/responses.ts';
import { UPLOADS } from './suite/uploads.ts';

/** All cases, for each pair of servers and each framework. */
export const SUITE: readonly (Case | ScriptedCase)[] = [...REQUESTS, ...UPLOADS, ...RESPONSES, ...CLIENTS];
