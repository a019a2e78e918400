/** The schema of the sections about PostgreSQL and the servers that share it. */
import * as z from "zod/mini";
import { canonicalAddress } from "../core/address.ts";
import { SSL_MODES } from "../postgres/database_config.ts";
import { converted, described, DNS_NAME, flag, section, span, text, texts, whole } from "./values.ts";

/** A plain absolute path: no name in it begins with a dot. */
const SOCKET_DIRECTORY = /^(?:\/[\w-][\w.-]*)+$/;

const host = converted(text(), (given, complain) => {
  // [::1]:5432, db.example.org:5432 and /run/postgresql:5432, but not ::1
  const [, bracketed, plain, port] = given.match(/^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/) ?? [, , given];
  const bare = bracketed ?? plain ?? given;
  const isSocket = SOCKET_DIRECTORY.test(bare);
  const name = canonicalAddress(bare) ?? (isSocket ? bare : bare.toLowerCase().replace(/\.$/, ""));
  const valid = canonicalAddress(bare) !== null || (!bracketed && (isSocket || DNS_NAME.test(name)));
  if (!valid) return complain("must be a host name, an address, or the directory of a socket");
  return { name, port: port === undefined ? undefined : Number(port) };
});

/** The section `DB`. */
export const database = converted(
  section({
    host: described(
      host,
      "Host name or address of the PostgreSQL server, or the directory of its socket, such as /run/postgresql; " +
        "`host:port` is understood too.",
    ),
    port: described(z.optional(whole(1, 65535)), "Port of the PostgreSQL server; 5432 by default."),
    user: described(
      text(),
      "Name of the user. The password stands in `db_password.secret` beside this file.",
    ),
    database: described(text(), "Name of the database; rights on this one are enough."),
    sslmode: described(
      z.optional(z.enum(SSL_MODES, `must be one of ${SSL_MODES.join(", ")}`)),
      "How the connection over TCP is encrypted, in libpq's words; only verify-full proves which server answers. " +
        "By default the variable PGSSLMODE says so, else disable.",
    ),
    sslrootcert: described(
      z.optional(text()),
      "File with the certificate of the authority that signs the server's, for sslmode verify-ca and verify-full; " +
        "the program for everybody may read one in /etc/strongmonitor.",
    ),
  }),
  ({ host, port, ...rest }, complain) => {
    if (port !== undefined && host.port !== undefined && port !== host.port) {
      complain(`must not differ from the ${host.port} in host`, ["port"]);
    }
    const chosen = port ?? host.port ?? 5432;
    if (chosen < 1 || chosen > 65535) {
      complain("must not hold a port above 65535 or of 0", ["host"]);
    }
    if (rest.sslrootcert !== undefined && !rest.sslmode?.startsWith("verify-")) {
      complain("needs sslmode verify-full or verify-ca, which look at it", ["sslrootcert"]);
    }
    return { host: host.name, port: chosen, ...rest };
  },
);

/** The section `fleet`. */
export const fleet = section({
  share_bans: described(flag(), "Bans that other servers on the same database make are in force here too."),
  min_reports: described(
    z._default(whole(1, 1_000), 1),
    "Number of different servers that must have banned an address within `window` before it is banned here.",
  ),
  window: described(z.prefault(span(), "1d"), "How long a server's ban counts for `min_reports`."),
  accept_from: described(
    z.optional(texts),
    "Names of the servers whose bans are followed; without it all are.",
  ),
  modules: described(
    z.optional(texts),
    "Modules whose bans are followed; without it all bans are, also those of networks and by hand.",
  ),
  max_bans: described(
    z._default(whole(1, 1_000_000), 100_000),
    "Greatest number of bans of other servers in force here at the same time. One server among several gets at most half of " +
      "the room that the others leave.",
  ),
});
