/** The schema of the sections about PostgreSQL and the servers that share it. */
import * as z from "zod";
import { canonicalAddress } from "../core/address.ts";
import { SSL_MODES } from "../postgres/database_config.ts";
import { described, DNS_NAME, section, span, text, texts, whole } from "./values.ts";

/** A plain absolute path: no name in it begins with a dot. */
const SOCKET_DIRECTORY = /^(?:\/[\w-][\w.-]*)+$/;

const host = text().transform((given, context) => {
  // [::1]:5432, db.example.org:5432 and /run/postgresql:5432, but not ::1
  const [, bracketed, plain, port] = given.match(/^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/) ?? [, , given];
  const bare = bracketed ?? plain ?? given;
  const isSocket = SOCKET_DIRECTORY.test(bare);
  const name = canonicalAddress(bare) ?? (isSocket ? bare : bare.toLowerCase().replace(/\.$/, ""));
  const valid = canonicalAddress(bare) !== null || (!bracketed && (isSocket || DNS_NAME.test(name)));
  if (!valid) context.addIssue("must be a host name, an address, or the directory of a socket");
  return { name, port: port === undefined ? undefined : Number(port) };
});

/** The section `DB`. */
export const database = section({
  host: described(
    host,
    "Host name or address of the PostgreSQL server, or the directory of its socket, such as /run/postgresql; " +
      "`host:port` is understood too.",
  ),
  port: described(whole(1, 65535).optional(), "Port of the PostgreSQL server; 5432 by default."),
  user: described(text(), "Name of the user. The password stands in `db_password.secret` beside this file."),
  database: described(text(), "Name of the database; rights on this one are enough."),
  sslmode: described(
    z.enum(SSL_MODES, `must be one of ${SSL_MODES.join(", ")}`).optional(),
    "How the connection over TCP is encrypted, in libpq's words; only verify-full proves which server answers. " +
      "By default the variable PGSSLMODE says so, else disable.",
  ),
  sslrootcert: described(
    text().optional(),
    "File with the certificate of the authority that signs the server's, for sslmode verify-ca and verify-full; " +
      "the program for everybody may read one in /etc/strongmonitor.",
  ),
}).transform(({ host, port, ...rest }, context) => {
  if (port !== undefined && host.port !== undefined && port !== host.port) {
    context.addIssue({
      code: "custom",
      path: ["port"],
      message: `must not differ from the ${host.port} in host`,
    });
  }
  const chosen = port ?? host.port ?? 5432;
  if (chosen < 1 || chosen > 65535) {
    context.addIssue({ code: "custom", path: ["host"], message: "must not hold a port above 65535 or of 0" });
  }
  if (rest.sslrootcert !== undefined && !rest.sslmode?.startsWith("verify-")) {
    context.addIssue({
      code: "custom",
      path: ["sslrootcert"],
      message: "needs sslmode verify-full or verify-ca, which look at it",
    });
  }
  return { host: host.name, port: chosen, ...rest };
});

/** The section `fleet`. */
export const fleet = section({
  share_bans: described(
    z.boolean("must be true or false").default(false),
    "Bans that other servers on the same database make are in force here too.",
  ),
  min_reports: described(
    whole(1, 1_000).default(1),
    "So many different servers must have banned an address within `window` before it is banned here.",
  ),
  window: described(span().prefault("1d"), "How long a server's ban counts for `min_reports`."),
  accept_from: described(
    texts().optional(),
    "Names of the servers whose bans are followed; without it all are.",
  ),
  modules: described(
    texts().optional(),
    "Modules whose bans are followed; without it all bans are, also those of networks and by hand.",
  ),
  max_bans: described(
    whole(1, 1_000_000).default(100_000),
    "At most so many bans of other servers are in force here at the same time, of one server among several half of what the others leave.",
  ),
});
