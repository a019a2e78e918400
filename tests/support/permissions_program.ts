// Prints the permissions that this process lacks for the configuration given as JSON.
import { missingNeeds } from "../../lib/config/permissions.ts";

const needs = missingNeeds(JSON.parse(Deno.args[0]!));
console.log(JSON.stringify(needs.map(({ kind, item }) => `${kind} ${item}`)));
