/** The path before those of the pages that show traces, on the site itself, in development. */
export const DEV_PREFIX = '/__viaduct';
