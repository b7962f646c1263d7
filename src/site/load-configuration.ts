import { type LoadedSettings, type LoadOptions, loadSettings, readOptions, readSettings } from '../config/load.ts';
import type { SiteReader } from '../config/site-entries.ts';
import type { Site } from './schema/site.ts';

/** Settings and the site of a configuration. */
export type LoadedConfiguration = LoadedSettings<Site>;

/**
 * Loads the configuration of a command: the settings, as `loadSettings` does, and the site of the files.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function loadConfiguration(options: LoadOptions): Promise<LoadedConfiguration> {
  return loadSettings(options, siteReader);
}

/**
 * Reads the configuration of a parsed `viaduct.toml`, as `readSettings` does.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function readConfiguration(document: object, base: string): Promise<LoadedConfiguration> {
  return readSettings(document, base, siteReader);
}

/**
 * Reads the configuration that a program passes as options, as `readOptions` does.
 *
 * @throws ViaductError `SETTINGS` as `loadSettings` does
 */
export function readProgramOptions(options: object, base: string): Promise<LoadedConfiguration> {
  return readOptions(options, base, siteReader);
}

/** Loads the schema only if a configuration needs it, because the schema takes memory and time. */
async function siteReader(): Promise<SiteReader<Site>> {
  return (await import('./schema/site-reader.ts')).siteReader;
}
