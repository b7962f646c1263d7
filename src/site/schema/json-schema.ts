import * as z from 'zod';
import { fileKey, type Setting } from '../../config/setting.ts';
import { SETTINGS, settingNames } from '../../config/settings.ts';
import { middleware } from './application.ts';
import { siteSchema } from './site.ts';

type JsonSchema = Record<string, unknown>;

/** The JSON Schema of `viaduct.toml`, for editors: the settings and the site. */
export function jsonSchema(): JsonSchema {
  const site = toJsonSchema(siteSchema);
  const settings = Object.fromEntries(
    settingNames()
      .filter((name) => name !== 'config')
      .map((name) => [fileKey(name), { description: SETTINGS[name].help, ...valueSchema(SETTINGS[name]) }]),
  );
  return {
    ...site,
    title: 'viaduct.toml',
    properties: { ...settings, ...(site.properties as JsonSchema) },
  };
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', override: ({ jsonSchema: made }) => describeDefault(made) });
}

/** Adds a default in words to the description, because JSON Schema has no keyword for it. */
function describeDefault(schema: JsonSchema): void {
  const { description, defaultText } = schema;
  if (defaultText === undefined) return;
  delete schema.defaultText;
  schema.description = `${description} Default: ${defaultText}.`;
}

function valueSchema(setting: Setting): JsonSchema {
  switch (setting.kind) {
    case 'integer': {
      const whole = { type: 'integer', minimum: setting.min, maximum: setting.max };
      if (setting.minSetting === undefined) return whole;
      const least: Setting = SETTINGS[setting.minSetting];
      const properties = {
        min: { description: least.help, ...valueSchema(least) },
        max: { description: setting.help, ...whole },
      };
      return { anyOf: [whole, { type: 'object', properties, additionalProperties: false }] };
    }
    case 'bytes':
    case 'duration':
      return { type: ['integer', 'string'] };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: setting.choices };
    case 'path':
    case 'name':
    case 'command':
    case 'text':
      return { type: 'string' };
    case 'list':
      if (setting.item === 'middleware') return withoutVersion(toJsonSchema(middleware));
      return setting.item === 'mount'
        ? {
            anyOf: [
              { type: 'array', items: { type: 'string' } },
              { type: 'object', additionalProperties: { type: 'string' } },
            ],
          }
        : { type: 'array', items: { type: ['string', 'integer'] } };
  }
}

/** A part of a schema, without the version of JSON Schema that only the whole schema names. */
function withoutVersion({ $schema, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
