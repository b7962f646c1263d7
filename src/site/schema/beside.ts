import * as z from 'zod';
import { splitWords } from '../../config/words.ts';
import { type Nameable, nameOf } from './beside-name.ts';
import { duration, oneOf, record, table, text, whole, words } from './tools.ts';

const COMMAND_MEANS = 'a command line, such as celery -A shop worker, or an array of its words';
const COMMAND = `must be ${COMMAND_MEANS}`;
const TIME_ZONE = 'must be the name of a time zone, such as Europe/Zurich or UTC';
const GRACE_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

/** Parsed to the words: the program and its arguments. */
const command = z
  .union([z.string(COMMAND), z.array(z.string(COMMAND), COMMAND)], COMMAND)
  .transform((value, context): readonly string[] => {
    const split = typeof value === 'string' ? splitWords(value) : value;
    if (split !== null && split[0] !== undefined && split[0] !== '' && !split.some((word) => word.includes('\0')))
      return split;
    context.addIssue({ code: 'custom', message: COMMAND });
    return z.NEVER;
  });

const name = text(/^[A-Za-z0-9_.-]{1,64}$/, 'a name of up to 64 letters, digits, dots, hyphens and underscores');
const variables = record(z.string('must be a text'));

const stopSignal = oneOf(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']);

const shared = {
  command: command.describe(
    'The program and its arguments, split as a shell does, but without a shell. A file that ends in .py is run by the Python of the project.',
  ),
  name: name
    .optional()
    .meta({ description: 'The name in the log and in the status.', defaultText: "the program's name" }),
  directory: words('the path of a directory')
    .optional()
    .meta({ description: 'The working directory.', defaultText: 'the directory of the project' }),
  environment: variables.default({}).describe('Variables beside those that workers get.'),
  stop_signal: stopSignal.default('SIGTERM').describe('The signal that asks it to end.'),
  stop_grace_ms: duration(0, 3_600_000)
    .default(GRACE_MS)
    .describe('The time that it then has. After it, its whole process group is killed.'),
};

/** A program that runs as long as the server. */
export const sidecar = table({
  ...shared,
  count: whole(1, 64).default(1).describe('How many of them run.'),
  restart: oneOf(['always', 'on-failure', 'never'])
    .default('always')
    .describe('When it is started again after it has ended by itself. on-failure: not after exit code 0.'),
  reload: oneOf(['restart', 'keep'])
    .default('restart')
    .describe('What a reload does to it. keep: nothing, unless its table has changed.'),
});

/** A command that runs from time to time. */
export const schedule = table({
  ...shared,
  cron: words('five fields of cron, such as 17 3 * * *, or @hourly, @daily, @weekly, @monthly or @yearly')
    .optional()
    .meta({
      description: 'When it runs: minute, hour, day of the month, month and day of the week.',
      defaultText: 'none, then every_ms is required',
    }),
  every_ms: duration(1000, 30 * DAY_MS)
    .optional()
    .meta({ description: 'The time between two starts, instead of cron.', defaultText: 'none' }),
  time_zone: z
    .string(TIME_ZONE)
    .refine(isTimeZone, TIME_ZONE)
    .optional()
    .meta({ description: 'The time zone of cron.', defaultText: 'that of the server process (TZ)' }),
  timeout_ms: duration(1000, 7 * DAY_MS)
    .default(DAY_MS)
    .describe('A run that takes longer is stopped, as at the end of the server.'),
}).superRefine(({ cron, every_ms }, context) => {
  if (cron === undefined && every_ms === undefined)
    context.addIssue({ code: 'custom', message: 'needs cron or every_ms' });
  if (cron !== undefined && every_ms !== undefined)
    context.addIssue({ code: 'custom', path: ['every_ms'], message: 'cannot be used together with cron' });
});

/** Tables with a name each, written or from the command. */
export function named<T extends z.ZodType<Nameable>>(item: T) {
  return z.array(item, 'must be a list of tables').superRefine((items, context) => {
    const taken = new Set<string>();
    for (const [index, one] of items.entries()) {
      const own = nameOf(one);
      if (taken.has(own)) {
        const message = `must be another one than those of the tables before: "${own}" is taken`;
        context.addIssue({ code: 'custom', path: [index, 'name'], message });
      }
      taken.add(own);
    }
  });
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
