import * as z from 'zod';
import { bool, listOf, oneOf, record, table, tables, text, words } from './tools.ts';

const mediaType = text(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: *; *[\x20-\x7e]+)?$/, 'a media type, such as text/plain');

/** Options for the files of a route. */
export const staticOptions = table({
  precompressed: z
    .union([bool(), listOf(oneOf(['br', 'zstd', 'gzip']))], 'must be true, false, or a list of br, zstd and gzip')
    .default(false)
    .describe('Codings of compressed files beside the originals to send instead. true: br, zstd and gzip.'),
  index: z
    .union([z.literal(false), listOf(words('a file name'))], 'must be file names, or false for none')
    .default(['index.html'])
    .describe('Names of files that represent their directory.'),
  fallback: words('a file below the directory')
    .optional()
    .describe('File that answers paths without a file, for single-page applications.'),
  fallback_for: oneOf(['pages', 'all'])
    .default('pages')
    .describe('Which paths the fallback answers. pages: only those without a dot in their last segment.'),
  try_files: listOf(words('a path, such as {path}.html'))
    .prefault(['{path}'])
    .describe('Names to try in order. {path} is the path below the prefix of the route.'),
  immutable: oneOf(['auto', 'always', 'never'])
    .default('auto')
    .describe('Which files with a hash in their name never change, so that browsers need not ask again.'),
  cache_control: tables({
    pattern: words('a glob').describe("Glob for the file's name, or with a slash for its path below the mount."),
    value: words('a value of Cache-Control').describe('The value of Cache-Control.'),
  })
    .default([])
    .describe('Rules for Cache-Control. The first one that matches a file wins, also over immutable.'),
  headers: record(z.string('must be a text'))
    .default({})
    .describe("Fields (headers) of every response with a file. They replace Viaduct's own, except Vary."),
  types: z
    .record(text(/^[^./\sA-Z][^/\sA-Z]*$/, 'an extension in lower case, without a dot'), mediaType, 'must be a table')
    .optional()
    .meta({
      description: 'Media types by extension, instead of the usual ones. An empty table leaves only default_type.',
      defaultText: 'the usual types',
    }),
  default_type: mediaType
    .default('application/octet-stream')
    .describe('Media type of files whose extension is not known.'),
  listing: bool().default(false).describe('Whether directories without an index are listed.'),
  fallthrough: bool().optional().meta({
    description: 'Whether requests without a file go on to what else answers the route, instead of 404.',
    defaultText: 'true if the route has app, proxy, redirect or respond, else false',
  }),
});
