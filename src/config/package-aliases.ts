import { programFile } from '../program-files.ts';

/** The entries of the package beside `viaduct` itself: `viaduct/middleware` and so on. */
export const PACKAGE_ENTRIES = ['middleware', 'handlers', 'adapters', 'config'] as const;

/**
 * The modules behind `viaduct` and its entries, for jiti's option `alias`. So files of a project find this package even where it is installed
 * elsewhere, and share its classes with the running server.
 */
export function packageAliases(): Record<string, string> {
  const path = (module: string): string => programFile(`${module}.js`);
  const entries = PACKAGE_ENTRIES.map((name) => [`viaduct/${name}`, path(`api/entries/${name}`)] as const);
  return { ...Object.fromEntries(entries), viaduct: path('index') };
}
