import { dirname } from 'node:path';
import type { MiddlewareEntry } from '../config/middleware.ts';
import type { Log } from '../log/log.ts';
import { MovingWatch } from '../project/moving-watch.ts';
import { MODULE_FILES, PROJECT_FILES, watchProject } from '../project/watch.ts';
import type { Configuration } from './configuration.ts';

export interface ProjectWatchEvents {
  /** Starts the changed project beside the running one. */
  readonly reload: () => Promise<void>;
  /** Lets a reload that still starts the project fail. */
  readonly cancel: () => void;
  /** Called when a reload failed. The project answers no requests until a change fixes it. */
  readonly onBroken: (error: unknown) => void;
  readonly log: Log;
}

/** In development, watches the files of all applications, and reloads when one of them changes. */
export class ProjectWatch {
  readonly #events: ProjectWatchEvents;
  /** Watches directories, which are passed as JSON. */
  readonly #watch = new MovingWatch<string>((directories) => this.#watchAll(JSON.parse(directories)));
  #changed = false;
  #reloading = false;

  constructor(events: ProjectWatchEvents) {
    this.#events = events;
  }

  /** Watches the files of this configuration from now on, or no files outside of development. */
  follow(configuration: Configuration): void {
    const { python, modules } = directoriesOf(configuration);
    const isFollowed = configuration.settings.dev && python.length + modules.length > 0;
    this.#watch.follow(isFollowed ? JSON.stringify({ python, modules }) : null);
  }

  close(): void {
    this.#watch.close();
  }

  #watchAll({ python, modules }: Directories): () => void {
    const changed = (): void => void this.#reloadChanged();
    const stops = [
      ...python.map((directory) => watchProject(directory, changed, PROJECT_FILES)),
      ...modules.map((directory) => watchProject(directory, changed, MODULE_FILES)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Reloads after a change. A file that changes during the reload may not be part of it, so another reload replaces it. */
  async #reloadChanged(): Promise<void> {
    this.#changed = true;
    if (this.#reloading) {
      this.#events.cancel();
      return;
    }
    this.#reloading = true;
    while (this.#changed) {
      this.#changed = false;
      const startedAt = performance.now();
      try {
        await this.#events.reload();
        this.#events.log.info(`Reloaded in ${Math.round(performance.now() - startedAt)} ms`);
      } catch (error) {
        if (!this.#changed) this.#events.onBroken(error);
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
  const projects = [
    ...(project === null ? [] : [project]),
    ...Object.values(applications).map(({ project: other }) => other),
  ];
  return {
    python: [...new Set(projects.map(({ directory }) => directory))].sort(),
    modules: [...new Set(files.map((file) => dirname(file)))].sort(),
  };
}

function moduleOf(entry: MiddlewareEntry): string[] {
  return entry.language === 'typescript' ? [entry.module] : [];
}
