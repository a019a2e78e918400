/** The permissions of the program that is built for everybody: the same for every configuration. */
import { UNITS } from "../core/program.ts";
import { KILL } from "../core/child_process.ts";
import { HOOK, SETTINGS } from "./file.ts";
import { socketOf, spellServer } from "../postgres/database_config.ts";
import {
  DATABASE_VARIABLES,
  FACTS,
  JOURNAL,
  type Permissions,
  RESOLVER,
  RESOLVERS,
  ROUTES,
  SOCKET,
  SUDOER,
} from "./permissions.ts";

/** Directories of this program: for logs, and for its state. */
export const [LOGS, STATE] = ["/var/log", "/var/lib/strongmonitor"] as const;
/** Host name that stands for a database on another machine, and the port of any database. */
export const [DATABASE_NAME, DATABASE_PORT] = ["db", 5432] as const;
/** Directory of the local database's socket. */
export const SOCKET_DIRECTORY = "/run/postgresql";
/** Configuration of nginx, which `init` reads. */
const NGINX = "/etc/nginx";
/** Variable with the address from which an administrator has logged in, for `init`. */
export const SSH_CONNECTION = "SSH_CONNECTION";
/** Directories of units: of the administrator, and of packages. */
export const UNIT_DIRECTORIES = ["/etc/systemd/system", "/usr/lib/systemd/system"] as const;
/** Directory of the links that enable units, in the administrator's. */
export const WANTS = "multi-user.target.wants";

const socket = socketOf({ host: SOCKET_DIRECTORY, port: DATABASE_PORT })!;
const units = [...UNIT_DIRECTORIES, `${UNIT_DIRECTORIES[0]}/${WANTS}`]
  .flatMap((directory) => UNITS.map((unit) => `${directory}/${unit}.service`));
const servers = [DATABASE_NAME, "localhost", "127.0.0.1", "::1"].map((host) =>
  spellServer({ host, port: DATABASE_PORT })
);

export const STOCK: Permissions = {
  run: [JOURNAL, "sudo", "nft", RESOLVER, ROUTES, KILL, HOOK],
  net: [...servers, `${SOCKET}${socket}`],
  read: [SETTINGS, LOGS, STATE, NGINX, ...units, socket, ...RESOLVERS],
  write: [STATE, socket],
  env: [DATABASE_VARIABLES, SUDOER, SSH_CONNECTION],
  sys: FACTS,
};
