import { dirname } from 'node:path';
import type { MiddlewareEntry } from '../config/middleware.ts';
import type { Log } from '../log/log.ts';
import { MovingWatch } from '../project/moving-watch.ts';
import { MODULE_FILES, PROJECT_FILES, watchProject } from '../project/watch.ts';
import type { Configuration } from './configuration.ts';

export interface ProjectWatchEvents {
  /** Brings up what has changed, beside what runs. */
  readonly reload: () => Promise<void>;
  /** That failed: nothing takes requests until a change mends it. */
  readonly onBroken: (error: unknown) => void;
  readonly log: Log;
}

/** In development: follows the files of all applications, and reloads when one of them changes. */
export class ProjectWatch {
  readonly #events: ProjectWatchEvents;
  /** Directories, as JSON. */
  readonly #watch = new MovingWatch<string>((directories) => this.#begin(JSON.parse(directories)));
  #changed = false;
  #reloading = false;

  constructor(events: ProjectWatchEvents) {
    this.#events = events;
  }

  /** Watches the files of this configuration from now on; those of none when it is not for development. */
  follow(configuration: Configuration): void {
    const { python, modules } = directoriesOf(configuration);
    const isFollowed = configuration.settings.dev && python.length + modules.length > 0;
    this.#watch.follow(isFollowed ? JSON.stringify({ python, modules }) : null);
  }

  close(): void {
    this.#watch.close();
  }

  #begin({ python, modules }: Directories): () => void {
    const changed = (): void => void this.#reloadChanged();
    const ends = [
      ...python.map((directory) => watchProject(directory, changed, PROJECT_FILES)),
      ...modules.map((directory) => watchProject(directory, changed, MODULE_FILES)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** A file changed. What changes while a release starts may not be in it, so another one follows. */
  async #reloadChanged(): Promise<void> {
    this.#changed = true;
    if (this.#reloading) return;
    this.#reloading = true;
    while (this.#changed) {
      this.#changed = false;
      const before = performance.now();
      try {
        await this.#events.reload();
        this.#events.log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
      } catch (error) {
        this.#events.onBroken(error);
      }
    }
    this.#reloading = false;
  }
}

interface Directories {
  readonly python: readonly string[];
  readonly modules: readonly string[];
}

function directoriesOf({ settings, project, applications, modules }: Configuration): Directories {
  const named = [...Object.values(applications), ...Object.values(modules)];
  const middleware = [...settings.middleware, ...named.flatMap((application) => application.middleware)];
  const files = [...Object.values(modules).map(({ module }) => module), ...middleware.flatMap(moduleOf)];
  const projects = [...(project === null ? [] : [project]), ...Object.values(applications).map((one) => one.project)];
  return {
    python: [...new Set(projects.map(({ directory }) => directory))].sort(),
    modules: [...new Set(files.map((file) => dirname(file)))].sort(),
  };
}

function moduleOf(entry: MiddlewareEntry): string[] {
  return entry.language === 'typescript' ? [entry.module] : [];
}
