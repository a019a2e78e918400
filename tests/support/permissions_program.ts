// Prints what a process with this one's permissions lacks for the configuration given as JSON.
import { missingPermissions } from "../../lib/config/permissions.ts";

console.log(JSON.stringify(missingPermissions(JSON.parse(Deno.args[0]!))));
