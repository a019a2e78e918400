import { LOGIN, SERVER, type Server } from "./server.ts";

/** How a login ended: `refused` the password was wrong, `cut off` nothing came back from the server any more. */
export type Verdict = "let in" | "refused" | "cut off";

/** Who knocks. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Seconds in which a server that has not cut off its client has answered, and has let it in or refused it. */
const ANSWER_S = 10;
const LOGIN_S = 20;
const OPTIONS = [
  "StrictHostKeyChecking=no",
  "UserKnownHostsFile=/dev/null",
  "PubkeyAuthentication=no",
  "NumberOfPasswordPrompts=1",
  `ConnectTimeout=${ANSWER_S}`,
];

/** Tries one password with a real ssh client that comes from the address `from`. */
export async function login(server: Server, from: string, { user, password }: Credentials): Promise<Verdict> {
  const ssh = ["sshpass", "-p", password, ...sshCommand(from, user), "true"];
  const { code, stderr } = await server.world.run(outside("timeout", String(LOGIN_S), ...ssh));
  if (code === 0) return "let in";
  if (/Permission denied/.test(stderr)) return "refused";
  if (code === 124 || /timed out/.test(stderr)) return "cut off";
  throw new Error(`Cannot log in from ${from} as ${user}: code ${code}: ${stderr.trim()}`);
}

/** Logs in as somebody with the right password. */
export function loginRightly(server: Server, from: string): Promise<Verdict> {
  return login(server, from, LOGIN);
}

/** Logs in rightly and stays until the server is heard no more; gives what the client said at the end. */
export async function stay(server: Server, from: string): Promise<string> {
  const heartbeat = ["-oServerAliveInterval=1", "-oServerAliveCountMax=3"];
  const ssh = sshCommand(from, LOGIN.user, heartbeat);
  const { stderr } = await server.world.run(
    outside("sshpass", "-p", LOGIN.password, ...ssh, "sleep", "infinity"),
  );
  return stderr.trim();
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

function outside(...command: string[]): string[] {
  return ["ip", "netns", "exec", "outside", ...command];
}

function sshCommand(from: string, user: string, more: readonly string[] = []): string[] {
  const target = from.includes(":") ? SERVER.ipv6 : SERVER.ipv4;
  return ["ssh", ...OPTIONS.map((option) => `-o${option}`), ...more, "-b", from, "-l", user, target];
}

/** Names that attackers try; one of them is made to look like a line about somebody else. */
const USERS = ["root", "admin", "x from 192.0.2.99 port 22 ssh2"];
