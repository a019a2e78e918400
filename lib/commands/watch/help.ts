import { zoneText } from "../common/output.ts";

/** Returns the text that `?` shows. */
export const helpLines = (): readonly string[] => [
  "Enter     why: the story of the selected address or network",
  "b         ban it, or another one that you type; asks how long, and before it does so",
  "u         unban it",
  "w         whitelist it",
  "",
  "Up, Down  select; Page Up, Page Down, Home and End, or j, k, g and G, as well",
  "Tab       the other table",
  "s         sort the table otherwise: hits or names; newest bans or those that end next",
  "v         count something else: addresses, networks, user names, paths, rules",
  "t         count since another time: an hour, a day, a week",
  "/         show only what holds a text; Escape shows all again",
  "",
  "!         all problems, in sentences",
  "r         read the state now; it is read once a second",
  "Ctrl-L    draw the screen anew",
  "q         quit",
  "",
  "lines/s, hits/s   what the monitor read, and what hit a rule, over the last minutes",
  "bans/min          bans by rules and networks within the minute before each point",
  "lag               how old the newest line of a source was when it was read",
  "read              how much of the lines of the last hour the module understood",
  zoneText(),
];
