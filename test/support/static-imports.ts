import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

/**
 * The modules that a module loads by its static imports, directly or not: files below `src` without their extension, and names of packages.
 * Type imports and `import()` do not count.
 *
 * @param name such as `site/build`
 */
export function staticImports(name: string): Set<string> {
  const modules = new Set<string>();
  const visit = (module: string): void => {
    if (modules.has(module)) return;
    modules.add(module);
    const file = join(SOURCES, `${module}.js`);
    if (!existsSync(file)) return;
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export) (?:.* from )?'([^']+)'/gm,
    )) {
      const target = specifier.startsWith('.') ? relative(SOURCES, join(dirname(file), specifier)) : specifier;
      visit(target.replace(/\.js$/, ''));
    }
  };
  visit(name);
  return modules;
}
