import { LOGIN, SERVER, type Server } from "./server.ts";

/** Outcome of a login. `refused`: the password was wrong; `cut off`: the server did not answer. */
export type Verdict = "let in" | "refused" | "cut off";

/** The client of a login. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Seconds in which a server answers and decides on a login, unless it cuts the client off. */
const ANSWER_S = 10;
const LOGIN_S = 20;
const OPTIONS = [
  "StrictHostKeyChecking=no",
  "UserKnownHostsFile=/dev/null",
  "PubkeyAuthentication=no",
  "NumberOfPasswordPrompts=1",
  `ConnectTimeout=${ANSWER_S}`,
];

/** Tries a password with a real ssh client from the address `from`. */
export async function login(server: Server, from: string, { user, password }: Credentials): Promise<Verdict> {
  const ssh = ["sshpass", "-p", password, ...sshCommand(from, user), "true"];
  const { code, stderr } = await server.world.run(outside("timeout", String(LOGIN_S), ...ssh));
  if (code === 0) return "let in";
  if (/Permission denied/.test(stderr)) return "refused";
  if (code === 124 || /timed out/.test(stderr)) return "cut off";
  throw new Error(`Cannot log in from ${from} as ${user}: code ${code}: ${stderr.trim()}`);
}

/** Logs in as a user with the right password. */
export function loginRightly(server: Server, from: string): Promise<Verdict> {
  return login(server, from, LOGIN);
}

/** Logs in and stays until the server is silent. Returns the client's last output. */
export async function stay(server: Server, from: string): Promise<string> {
  const heartbeat = ["-oServerAliveInterval=1", "-oServerAliveCountMax=3"];
  const ssh = sshCommand(from, LOGIN.user, heartbeat);
  const { stderr } = await server.world.run(
    outside("sshpass", "-p", LOGIN.password, ...ssh, "sleep", "infinity"),
  );
  return stderr.trim();
}

/**
 * Tries wrong passwords from an address until it is cut off, at most `attempts` times. Returns the
 * number of answers, and whether the address was cut off.
 */
export async function attack(
  server: Server,
  from: string,
  attempts: number,
): Promise<{ answered: number; cutOff: boolean }> {
  for (let answered = 0; answered < attempts; answered++) {
    const user = USERS[answered % USERS.length] ?? "root";
    const verdict = await login(server, from, { user, password: `guess ${answered}` });
    if (verdict === "let in") throw new Error(`Let in as ${user} with a wrong password`);
    if (verdict === "cut off") return { answered, cutOff: true };
  }
  return { answered: attempts, cutOff: false };
}

function outside(...command: string[]): string[] {
  return ["ip", "netns", "exec", "outside", ...command];
}

function sshCommand(from: string, user: string, more: readonly string[] = []): string[] {
  const target = from.includes(":") ? SERVER.ipv6 : SERVER.ipv4;
  return ["ssh", ...OPTIONS.map((option) => `-o${option}`), ...more, "-b", from, "-l", user, target];
}

/** Attackers' user names. One of them looks like a line about somebody else. */
const USERS = ["root", "admin", "x from 192.0.2.99 port 22 ssh2"];
