import project from "../../deno.json" with { type: "json" };

/** Version of this program. */
export const VERSION: string = project.version;
