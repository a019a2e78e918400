import project from "../../deno.json" with { type: "json" };

/** Version of this program. */
export const VERSION: string = project.version;
/** Units of the monitor, without ".service"; the one that needs no sudo first. */
export const UNITS = ["strongmonitor", "strongmonitor-sudo"] as const;
/** The system user that the units run the monitor as. */
export const SERVICE_USER = "strongmonitor";
