import * as z from 'zod';
import {
  MIDDLEWARE_TAKES,
  type MiddlewareEntry,
  misplacedMiddleware,
  parseMiddleware,
} from '../../config/middleware.ts';
import { listOf, record, table, text, whole, words } from './tools.ts';

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*`;
const HOOK = new RegExp(`^${NAME}:${NAME}$`, 'u');

const middlewareTable = table({
  use: z.string(`must be ${MIDDLEWARE_TAKES}`).describe('The middleware.'),
  options: record(z.unknown()).optional().describe('Options of the middleware, as plain data.'),
});

const middlewareItem = z
  .union([z.string(), middlewareTable], 'must be a text, or a table of use and options')
  .superRefine((raw, context) => {
    const parsed = parseMiddleware(raw, '/');
    if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
  });

/** A list of middleware around an application. */
export const middleware = listOf(middlewareItem).superRefine((items, context) => {
  const parsed = items.map((item) => parseMiddleware(item, '/'));
  const entries = parsed.flatMap((result): MiddlewareEntry[] => ('value' in result ? [result.value] : []));
  const misplaced = entries.length < items.length ? null : misplacedMiddleware(entries);
  if (misplaced !== null) {
    context.addIssue({ code: 'custom', path: [misplaced.index], message: misplaced.problem });
  }
});

const workersRange = table({
  min: whole(0, 256).optional().meta({
    description: 'Workers that stay when there is little to do. More are started while requests wait.',
    defaultText: 'as many as max',
  }),
  max: whole(1, 256).optional().meta({ description: 'The most workers.', defaultText: '1' }),
}).superRefine(({ min = 0, max = 1 }, context) => {
  if (min > max) context.addIssue({ code: 'custom', path: ['min'], message: `is more than max, which is ${max}` });
});

const hook = (when: string) =>
  listOf(text(HOOK, 'MODULE:FUNCTION, such as shop.hooks:connect')).prefault([]).describe(`Functions to call ${when}.`);

/** Functions of an application that run at moments in the life of its processes. */
export const hooks = table({
  after_fork: hook('in each worker before its first request'),
  before_exit: hook('in each worker that ends in order, after its last request'),
  on_ready: hook('when a release serves: once, in a process of its own'),
  on_reload: hook('when another release has replaced this one: once, in a process of its own'),
});

/** An application that routes name. */
export const application = table({
  target: words('a PATH or MODULE:CALLABLE').describe(
    'Directory or file of the project, or the application in it. MODULE:FACTORY() calls a factory.',
  ),
  chdir: words('the path of a directory')
    .optional()
    .meta({ description: 'Directory of the project.', defaultText: 'the directory of the settings file' }),
  python: words('the path of an interpreter or of a virtual environment').optional().meta({
    description: 'Interpreter or virtual environment that runs the application.',
    defaultText: "the setting python, or else the project's virtual environment",
  }),
  workers: z
    .union([whole(1, 256), workersRange], 'must be a whole number from 1 to 256, or a table of min and max')
    .optional()
    .meta({ description: 'Python processes that run the application.', defaultText: '1' }),
  threads: whole(1, 64).optional().meta({ description: 'Threads in each worker.', defaultText: 'the setting threads' }),
  middleware: middleware.default([]).describe('Middleware around the application, the outermost first.'),
  hooks: hooks.optional().describe('Functions to call at moments in the life of its processes.'),
});
