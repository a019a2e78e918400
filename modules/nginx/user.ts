/** Identifiers of requests: `$request_id` of nginx, or a UUID. Their lengths are in bytes. */
export const ID_LENGTHS = [32, 36];
const ID = /^[0-9a-f]{32}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/**
 * Addresses, perhaps with ports, and measures of time. No name of Basic authentication holds a colon
 * (RFC 7617, section 2).
 */
const FIGURES = /:|^\d+(?:\.\d+)+$/;
/** What stands before the user in logs of older ingress-nginx: `[$the_real_ip] - `. */
const REAL_ADDRESS = /^\[[^\]]*\](?: - |$)/;
/** The name of a host of three parts or more, which no user has. */
const HOST = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+\.[a-z]{2,}$/i;
/** What nginx and formats with quotes write where there is no user. */
const NONE = ["-", '""', '"-"'];

/**
 * Finds the name of a user in `text`, what a line has between `- ` and ` [time]`. Formats put other
 * words there, too: an identifier of the request, the name or address of a server, a time, one more
 * `-`. A word that says "none" is taken at its word, as nobody shall have guessed a name who has sent
 * none.
 */
export function userIn(text: string): string | undefined {
  const words = text.replace(REAL_ADDRESS, "").split(" ").filter((word) =>
    !ID.test(word) && !FIGURES.test(word)
  );
  if (words.some((word) => NONE.includes(word))) return undefined;
  while (words.length > 1 && isServerName(words[0]!)) words.shift();
  while (words.length > 1 && isServerName(words.at(-1)!)) words.pop();
  if (words.length === 1 && HOST.test(words[0]!)) return undefined;
  const user = words.join(" ").replace(/^"(.*)"$/s, "$1");
  return user === "" ? undefined : user;
}

/** Whether a word looks like the name of a server, or is the one for all names. */
function isServerName(word: string): boolean {
  return word === "_" || /^[^@\\]+\.[^@\\]+$/.test(word);
}
