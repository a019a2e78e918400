import { jsonSchema } from "../lib/config/schema.ts";

/** The published JSON Schema of the configuration, for editors. */
export const SCHEMA_FILE = new URL("../docs/config.schema.json", import.meta.url);

/** Returns the text that the file must hold. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}

if (import.meta.main) Deno.writeTextFileSync(SCHEMA_FILE, schemaText());
