/** Speed of reading logs, compared with other programs on the same files. */
import { type Figures, type Target, without } from "./figures.ts";
import type { Peers } from "./peers.ts";
import { requireFound, type Row } from "./row.ts";
import { isInstalled, type Log, type Run, type Workshop } from "./workshop.ts";

const SSHGUARD = "/usr/libexec/sshguard/sshg-parser";
const FAIL2BAN = "fail2ban-regex";
/** fail2ban gets this part of a log: a whole one would take it most of a minute. */
const PART = 20;

const NGINX_FILTERS = ["nginx-botsearch", "nginx-bad-request"];

/** Texts of the shipped rules that attacks of the made-up auth.log contain, for grep. */
const AUTH_TEXTS = [
  "Invalid user ",
  "Failed ",
  "error: PAM: ",
  "Connection closed by authenticating user ",
  "Connection closed by invalid user ",
  "Connection reset by authenticating user ",
  "Connection reset by invalid user ",
  "Disconnected from authenticating user ",
  "Disconnected from invalid user ",
  " \\[preauth\\]",
  "error: maximum authentication attempts exceeded for ",
  " not allowed because ",
  "ROOT LOGIN REFUSED FROM ",
  "refused connect from ",
  "banner exchange: Connection from ",
  "Bad protocol version identification ",
  "Did not receive identification string from ",
  "Protocol major versions differ for ",
  "Unable to negotiate with ",
  "ssh_dispatch_run_fatal: Connection from ",
  "Timeout before authentication for ",
  " penalty: ",
];
const ACCESS_TEXTS = [
  "/wp-(admin|login|config|includes/|json/)",
  "/xmlrpc\\.php",
  "php-?my-?admin|/pma(/|$)|adminer",
  "/cgi(-bin|-sys)?/|/boaform|/goform",
  "/vendor/.*\\.php|/phpunit|/laravel|/_ignition",
  "/actuator|/solr/|/manager/html",
  "/owa/|/ecp/|/autodiscover/",
  "/remote/login|/dana-na|/sslvpn",
  "/\\.(env|git|svn|hg|aws|ssh|ht[ap]|bash)",
  "/admin/(config|login|index)|/administrator",
  "%24%7B|\\$\\{jndi:|/etc/passwd|\\.\\./|/bin/sh|php://|phpinfo\\(",
  "union.*select|information_schema|sleep\\(",
  "<script|javascript:",
];

function expression(texts: readonly string[]): string {
  return texts.join("|");
}

/** A row in which each side reads a whole log. */
abstract class ReplayRow implements Row {
  abstract readonly name: string;
  abstract readonly title: string;
  abstract readonly targets: readonly Target[];
  readonly needs: readonly string[] = [];

  abstract log(workshop: Workshop, lines?: number): Promise<Log>;
  /** Measures the peers, in milliseconds for the whole log. */
  abstract others(workshop: Workshop, peers: Peers): Promise<Figures>;

  async prepare(workshop: Workshop, _peers: Peers): Promise<void> {
    const log = await this.log(workshop);
    await workshop.configureAsShipped();
    const { summary } = await workshop.replay(log);
    requireFound(`strongmonitor's lines of ${this.name}`, summary.lines, log.lines);
  }

  async round(workshop: Workshop, peers: Peers): Promise<Figures> {
    const log = await this.log(workshop);
    await workshop.configureAsShipped();
    const others = await this.others(workshop, peers);
    const { milliseconds } = await workshop.replay(log);
    return { "strongmonitor": milliseconds, ...others };
  }

  protected async grep(workshop: Workshop, texts: readonly string[]): Promise<Figures> {
    const { path } = await this.log(workshop);
    return { grep: (await workshop.peer(["grep", "-cE", expression(texts), path])).milliseconds };
  }

  /** Checks that grep counts the attackers' lines. */
  protected async checkGrep(workshop: Workshop, texts: readonly string[]): Promise<void> {
    const { path, attacks } = await this.log(workshop);
    const { stdout } = await workshop.peer(["grep", "-cE", expression(texts), path]);
    requireFound("grep", Number(stdout), attacks);
  }

  /** Checks that fail2ban's filters find a share of the attackers in a part of the log, and no others. */
  protected async checkFail2ban(
    workshop: Workshop,
    { filters, share }: { filters: readonly string[]; share: number },
  ) {
    const { found, attackers } = await this.foundByFail2ban(workshop, filters);
    if (found.size >= attackers.size * share) return;
    throw new Error(`fail2ban-regex found ${found.size} of ${attackers.size} attackers`);
  }

  /** Returns the addresses that fail2ban's filters find in a part of the log, and the real attackers. */
  private async foundByFail2ban(workshop: Workshop, filters: readonly string[]) {
    const part = await this.log(workshop, Math.max(1, Math.round(workshop.lines / PART)));
    const found = new Set<string>();
    for (const filter of filters) {
      const { stdout } = await workshop.peer([FAIL2BAN, "--out", "ip", part.path, filter]);
      const ips = stdout.split("\n").map((line) => line.trim()).filter((line) => /^[\da-f.:]+$/.test(line));
      const innocent = ips.find((ip) => !part.attackers.has(ip));
      if (innocent !== undefined) throw new Error(`fail2ban-regex found ${innocent}, who attacks nobody`);
      ips.forEach((ip) => found.add(ip));
    }
    return { found, attackers: part.attackers };
  }

  /** Measures a filter of fail2ban without its start, scaled to the whole log. */
  protected async fail2ban(workshop: Workshop, filter: string): Promise<number> {
    const part = await this.log(workshop, Math.max(1, Math.round(workshop.lines / PART)));
    const empty = `${workshop.directory}/empty.log`;
    await Deno.writeTextFile(empty, "");
    const start = await workshop.peer([FAIL2BAN, empty, filter], { quiet: true });
    const all = await workshop.peer([FAIL2BAN, part.path, filter], { quiet: true });
    return without(start.milliseconds, all.milliseconds) * workshop.lines / part.lines;
  }
}

class AuthRow extends ReplayRow {
  readonly name = "auth";
  readonly title = "`replay` of auth.log by the shipped rules";
  readonly targets: readonly Target[] = [
    {
      words: ">= 5 x sshg-parser",
      value: (f) => f["sshg-parser"]! / f.strongmonitor!,
      atLeast: 5,
      unit: " x",
    },
    {
      words: ">= 50 x fail2ban-regex",
      value: (f) => f["fail2ban-regex"]! / f.strongmonitor!,
      atLeast: 50,
      unit: " x",
    },
    { words: "<= 4 x grep -cE", value: (f) => f.strongmonitor! / f.grep!, atMost: 4, unit: " x" },
  ];

  log(workshop: Workshop, lines?: number): Promise<Log> {
    return workshop.authLog(lines);
  }

  override async prepare(workshop: Workshop, peers: Peers): Promise<void> {
    await super.prepare(workshop, peers);
    const log = await this.log(workshop);
    const { summary } = await workshop.replay(log);
    requireFound("strongmonitor", summary.logged, log.named);
    await peers.attempt("grep", () => this.checkGrep(workshop, AUTH_TEXTS));
    if (isInstalled(SSHGUARD)) await peers.attempt("sshg-parser", () => this.#checkSshguard(workshop));
    if (isInstalled(FAIL2BAN)) {
      await peers.attempt(FAIL2BAN, () => this.checkFail2ban(workshop, { filters: ["sshd"], share: 0.9 }));
    }
  }

  async others(workshop: Workshop, peers: Peers): Promise<Figures> {
    const sshguard = async () => ({ "sshg-parser": await this.#sshguard(workshop) });
    const fail2ban = async () => ({ "fail2ban-regex": await this.fail2ban(workshop, "sshd") });
    return {
      ...isInstalled(SSHGUARD) ? await peers.figures("sshg-parser", sshguard) : {},
      ...isInstalled(FAIL2BAN) ? await peers.figures(FAIL2BAN, fail2ban) : {},
      ...await peers.figures("grep", () => this.grep(workshop, AUTH_TEXTS)),
    };
  }

  async #sshguard(workshop: Workshop): Promise<number> {
    const { path } = await this.log(workshop);
    return (await workshop.peer([SSHGUARD], { input: path, quiet: true })).milliseconds;
  }

  async #checkSshguard(workshop: Workshop): Promise<void> {
    const { path, attacks } = await this.log(workshop);
    const { stdout } = await workshop.peer([SSHGUARD], { input: path });
    requireFound("sshg-parser", stdout.split("\n").length - 1, attacks);
  }

  async plot(workshop: Workshop, peers: Peers) {
    const sizes = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1].map((part) => Math.round(workshop.lines * part));
    const points: [number, number][] = [];
    const grep: [number, number][] = [];
    await workshop.configureAsShipped();
    for (const lines of sizes) {
      const log = await this.log(workshop, lines);
      const nanoseconds = ({ milliseconds }: Run) => milliseconds * 1e6 / lines;
      points.push([lines, nanoseconds(await workshop.replay(log))]);
      const words = ["grep", "-cE", expression(AUTH_TEXTS), log.path];
      const run = await peers.attempt("grep", () => workshop.peer(words));
      if (run !== null) grep.push([lines, nanoseconds(run)]);
    }
    return {
      title: "A line of auth.log by the length of the log, the start of the program included",
      x: "lines",
      y: "nanoseconds a line",
      series: [{ name: "strongmonitor", points }, { name: "grep -cE", points: grep }],
    };
  }
}

class AccessRow extends ReplayRow {
  readonly name = "access";
  readonly title = "`replay` of access.log by the shipped rules";
  readonly targets: readonly Target[] = [
    {
      words: ">= 50 x fail2ban-regex",
      value: (f) => f["fail2ban-regex"]! / f.strongmonitor!,
      atLeast: 50,
      unit: " x",
    },
    { words: "<= 4 x grep -cE", value: (f) => f.strongmonitor! / f.grep!, atMost: 4, unit: " x" },
  ];

  log(workshop: Workshop, lines?: number): Promise<Log> {
    return workshop.accessLog(lines);
  }

  override async prepare(workshop: Workshop, peers: Peers): Promise<void> {
    await super.prepare(workshop, peers);
    const log = await this.log(workshop);
    const { summary } = await workshop.replay(log);
    // Of a web server's lines the state gets only hits.
    requireFound("strongmonitor", summary.logged, log.attacks);
    await peers.attempt("grep", () => this.checkGrep(workshop, ACCESS_TEXTS));
    // Its filters know some of the scanners' paths.
    if (isInstalled(FAIL2BAN)) {
      await peers.attempt(
        FAIL2BAN,
        () => this.checkFail2ban(workshop, { filters: NGINX_FILTERS, share: 0.1 }),
      );
    }
  }

  async others(workshop: Workshop, peers: Peers): Promise<Figures> {
    return {
      ...isInstalled(FAIL2BAN) ? await peers.figures(FAIL2BAN, () => this.#allFilters(workshop)) : {},
      ...await peers.figures("grep", () => this.grep(workshop, ACCESS_TEXTS)),
    };
  }

  /** fail2ban reads a log once for each filter that watches it. */
  async #allFilters(workshop: Workshop): Promise<Figures> {
    let milliseconds = 0;
    for (const filter of NGINX_FILTERS) milliseconds += await this.fail2ban(workshop, filter);
    return { "fail2ban-regex": milliseconds };
  }
}

/** Returns a rule that attacks hit, and rules that nothing hits. */
class RulesRow implements Row {
  readonly needs: readonly string[] = [];
  readonly targets: readonly Target[];

  constructor(
    readonly name: string,
    readonly title: string,
    readonly options: {
      few: number;
      many: number;
      most: number;
      rule: (n: number) => Record<string, unknown>;
    },
  ) {
    const { few, many, most } = options;
    const value = (f: Figures) => f[`${many} rules`]! / f[`${few} rules`]!;
    this.targets = [{ words: `<= ${most} x the time per line`, value, atMost: most, unit: " x" }];
  }

  async prepare(workshop: Workshop): Promise<void> {
    const log = await workshop.authLog();
    const { few, many } = this.options;
    const hits: number[] = [];
    for (const count of [few, many]) {
      await this.#configure(workshop, count);
      hits.push((await workshop.replay(log)).summary.hits);
    }
    requireFound(`strongmonitor with ${many} rules`, hits[1]!, hits[0]!);
  }

  async round(workshop: Workshop): Promise<Figures> {
    const { few, many } = this.options;
    return {
      [`${few} rules`]: await this.#time(workshop, few),
      [`${many} rules`]: await this.#time(workshop, many),
    };
  }

  async plot(workshop: Workshop) {
    const points: [number, number][] = [];
    for (const count of [1, 10, 100, 1_000].filter((count) => count <= this.options.many)) {
      points.push([count, await this.#time(workshop, count) * 1e6 / workshop.lines]);
    }
    return { title: this.title, x: "rules", y: "nanoseconds a line", series: [{ name: "replay", points }] };
  }

  /** Measures the milliseconds for the log, without the program's start. */
  async #time(workshop: Workshop, count: number): Promise<number> {
    const log = await workshop.authLog();
    const empty = { path: `${workshop.directory}/empty.log` };
    await Deno.writeTextFile(empty.path, "");
    await this.#configure(workshop, count);
    const start = await workshop.replay(empty);
    return without(start.milliseconds, (await workshop.replay(log)).milliseconds);
  }

  #configure(workshop: Workshop, count: number): Promise<void> {
    const first = { name: "failed", str: "Failed password for ", mode: "start", limit: 1_000_000 };
    const rules = [first, ...Array.from({ length: count - 1 }, (_, n) => this.options.rule(n))];
    return workshop.configure({ modules: { SSHD: { rules } } });
  }
}

const NEVER = { limit: 5, window: "10m" };

/** The rows about reading. */
export const REPLAY_ROWS: readonly Row[] = [
  new AuthRow(),
  new AccessRow(),
  new RulesRow("str-rules", "1,000 `str` rules against 10", {
    few: 10,
    many: 1_000,
    most: 1.5,
    rule: (n) => ({
      ...NEVER,
      name: `never_${n}`,
      str: `Unheard of ${n} things happened to `,
      mode: n % 2 === 0 ? "start" : "anywhere",
    }),
  }),
  new RulesRow("regex-rules", "100 `regex` rules against 1", {
    few: 1,
    many: 100,
    most: 3,
    rule: (n) => ({ ...NEVER, name: `never_${n}`, str: unheardOf(n), mode: "regex" }),
  }),
];

/**
 * Returns an expression that nothing matches. Its literals rule every second one out; the others run
 * on attacks.
 */
function unheardOf(n: number): string {
  return n % 2 === 0
    ? `(?:never|not once) heard of ${n}: \\w+ [a-f]+$`
    : `^Failed password for (?:invalid user )?never${n}\\w* from `;
}
