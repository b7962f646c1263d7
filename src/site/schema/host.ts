import { text } from './tools.ts';

/** A host of a route or of a certificate. */
export const host = text(
  /^(?:\*\.)?[^\s/*:]+$|^\[[0-9A-Fa-f:.]+\]$/,
  'a host name, *.NAME for all names below it, or an [address]',
);
