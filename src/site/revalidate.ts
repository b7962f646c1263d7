/** In production, the time for which the old content of a changed static file may still be served. */
export const STATIC_REVALIDATE_MS = 1000;
