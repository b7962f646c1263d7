import { fileKey, type Setting } from '../../config/setting.ts';
import { SETTINGS, settingNames } from '../../config/settings.ts';
import { middlewareJsonSchema, siteJsonSchema } from '../../config/site/schema.ts';

type JsonSchema = Record<string, unknown>;

/** The JSON Schema of `viaduct.toml`, for editors: settings, and routes with what belongs to them. */
export function jsonSchema(): JsonSchema {
  const site = siteJsonSchema();
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

function valueSchema(setting: Setting): JsonSchema {
  switch (setting.kind) {
    case 'integer':
      return { type: 'integer', minimum: setting.min, maximum: setting.max };
    case 'bytes':
    case 'duration':
      return { type: ['integer', 'string'] };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: setting.choices };
    case 'path':
    case 'name':
      return { type: 'string' };
    case 'list':
      if (setting.item === 'middleware') return middlewareJsonSchema();
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
