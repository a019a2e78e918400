/** Identifiers of requests: `$request_id` of nginx, or a UUID. Their lengths are in bytes. */
export const ID_LENGTHS = [32, 36];
const ID = /^[0-9a-f]{32}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/**
 * Addresses, perhaps with ports, and measures of time. A name of Basic authentication has no colon
 * (RFC 7617, section 2).
 */
const FIGURES = /:|^\d+(?:\.\d+)+$/;
/** Text before the user in logs of older ingress-nginx: `[$the_real_ip] - `. */
const REAL_ADDRESS = /^\[[^\]]*\](?: - |$)/;
/** A host name of three parts or more, or nginx's `server_name _`; no user has such a name. */
const HOST = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+\.[a-z]{2,}$|^_$/i;
/** Texts of nginx, and of formats with quotes, for no user. */
const NONE = ["-", '""', '"-"'];

/**
 * Finds a user's name in `text`, the part of a line between `- ` and ` [time]`. Formats also put
 * other words there: an identifier of the request, the name or address of a server, a time, a
 * second `-`. If one word means "none", there is no name: a client that sent no name must not count
 * as a guesser.
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

/** Reports whether a word looks like a server name, or is the one for all names. */
function isServerName(word: string): boolean {
  return word === "_" || /^[^@\\]+\.[^@\\]+$/.test(word);
}
