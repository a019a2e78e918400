import { jsonSchema } from "../lib/config/schema.ts";

/** Where the JSON Schema of the configuration is published, for editors. */
export const SCHEMA_FILE = new URL("../docs/config.schema.json", import.meta.url);

/** What that file must hold. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}

if (import.meta.main) Deno.writeTextFileSync(SCHEMA_FILE, schemaText());
