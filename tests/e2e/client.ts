import { LOGIN, SERVER, type Server } from "./server.ts";

/** How a login ended: `refused` the password was wrong, `cut off` nothing came back from the server any more. */
export type Verdict = "let in" | "refused" | "cut off";

/** Who knocks. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const PATIENCE_S = 5;
const OPTIONS = [
  "StrictHostKeyChecking=no",
  "UserKnownHostsFile=/dev/null",
  "LogLevel=ERROR",
  "PubkeyAuthentication=no",
  "NumberOfPasswordPrompts=1",
  `ConnectTimeout=${PATIENCE_S}`,
];

/** Tries one password with a real ssh client that comes from the address `from`. */
export async function login(server: Server, from: string, { user, password }: Credentials): Promise<Verdict> {
  const target = from.includes(":") ? SERVER.ipv6 : SERVER.ipv4;
  const ssh = ["ssh", ...OPTIONS.map((option) => `-o${option}`), "-b", from, "-l", user, target, "true"];
  const limited = ["timeout", String(3 * PATIENCE_S), "sshpass", "-p", password, ...ssh];
  const { code, stderr } = await server.world.run(["ip", "netns", "exec", "outside", ...limited]);
  if (code === 0) return "let in";
  if (/Permission denied/.test(stderr)) return "refused";
  if (code === 124 || /timed out/.test(stderr)) return "cut off";
  throw new Error(`Cannot log in from ${from} as ${user}: code ${code}: ${stderr.trim()}`);
}

/** Logs in as somebody with the right password. */
export function loginRightly(server: Server, from: string): Promise<Verdict> {
  return login(server, from, LOGIN);
}

/**
 * Tries wrong passwords from one address until it is cut off, at most `attempts` times.
 * Returns how many were answered, and whether one was not.
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

/** Names that attackers try; one of them is made to look like a line about somebody else. */
const USERS = ["root", "admin", "x from 192.0.2.99 port 22 ssh2"];
