/** Messages of services, made up of templates, samples and hostile text. */
import type { Random } from "../support/random.ts";
import { NGINX_SAMPLES } from "../samples/nginx.ts";
import { SSHD_NEAR_MISSES, SSHD_SAMPLES } from "../samples/sshd.ts";
import type { LogClock } from "./clock.ts";

/** Modules that messages are made for. `OWN` is one of a configuration's patterns. */
export type ModuleName = "SSHD" | "NGINX" | "OWN";

/** Patterns of the module `OWN`; `«»` enclose what may be a stranger's text. */
export const OWN_PATTERNS = [
  '^\\[pid \\d+\\] «\\[(?<user>.*)\\]» FAIL LOGIN: Client "<ADDR>"$',
  "^Failed (?:login|code) for «(?<user>\\S*)» from <ADDR>(?: port \\d+)?: «(?<reason>.*)»",
  "^denied <ADDR> by «(?<policy>\\w+)»",
  "^\\[«[^\\]]*»\\] refused <ADDR> as «(?<user>.*)»",
  "^gave «(?<user>.*)» up at <TIME> from <ADDR>$",
  "^<ADDR> gave up as «(?<user>.*)» at <TIME>$",
];
const OWN_TEMPLATES = [
  '[pid 7] [<USER>] FAIL LOGIN: Client "<ADDR>"',
  "Failed {login|code} for <USER> from <ADDR>{ port <PORT>|}: <REST>",
  "denied <ADDR> by <WORD>{, <REST>|}",
  "[<TIME>] refused <ADDR> as <USER>",
  "gave <USER> up at <TIME> from <ADDR>",
  "<ADDR> gave up as <USER> at <TIME>",
];
/** What a stranger's text is made of. */
const HOSTILE = [
  ...[
    " from <ADDR> port 22 ssh2",
    " from <ADDR>",
    " at <TIME>",
    " <ADDR> port <PORT>",
    "<ADDR>",
    " [preauth]",
    ": ",
    " port ",
  ],
  ...[
    " ssh2: ",
    "invalid user ",
    "root",
    "admin",
    "Login",
    " not allowed because ",
    " with ",
    "sshd[1]: ",
    " maps to ",
  ],
  ...[
    "], ",
    " (",
    ")",
    "=",
    "\\",
    '"',
    "'",
    "\\x22",
    "\\u0041",
    "//",
    "?",
    "%22",
    "%zz",
    "%C3",
    "%2525",
    " - - [",
    '] "',
  ],
  ...[", client: <ADDR>, server: x", ', request: "GET / HTTP/1.1"', "FAIL LOGIN: Client ", "x".repeat(70)],
  // The Kelvin sign and the dotted capital I are ASCII in lower case, or nearly.
  ...["\r", "\0", "\t", "\u00a0", "\ufeff", "\u2028", "é", "\u{1f600}", "\u017f", "\u212a", "\u0130"],
];
const NAMES = ["root", "admin", "test", "bob smith", "", "Ünal", "oracle", "a.b-c_d"];
const METHODS = ["password", "publickey", "keyboard-interactive/pam", "none", "gssapi-with-mic"];
const WORDS = ["unix", "ssh", "exchange", "auth", "Authentication failure", "h.example"];
const NO_ADDRESSES = [
  ...["010.1.2.3", "1.2.3", "256.1.1.1", "1.2.3.4.5", "unix:", "host.example", "::g", "1:2:3::4::5", "%eth0"],
  ...["::ffff:1.2.3.04", "2001:db8::1:"],
];
const TARGETS = [
  ...[
    "/",
    "/wp-login.php",
    "/.env",
    "/a%20b?c=%3Cd",
    "/%2e%2e/%2E%2e/etc/passwd",
    "//a///b",
    "/é?q=ü",
    "/%C3%A9%zz%",
  ],
  ...[
    "/index.php?id=1%27%20OR%201=1",
    "http://example.org/x?y",
    "*",
    "",
    "/?q=${jndi:ldap://x}",
    "/%EF%BB%BFa",
  ],
  ...[
    "/%ff%fe",
    "/cgi-bin/a",
    "HTTPS://h?x",
    "http://EXAMPLE.org:80?x",
    "https://www.a.b/c",
    "http://a",
    "http:x",
  ],
];
const AGENTS = [
  ...[
    "-",
    "curl/8.5.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "sqlmap/1.8",
  ],
  ...["zgrab/0.x", "a\\x22b", "\\xE2\\x82\\xAC", "Googlebot \\u00e9\\n", "Mozilla/5.0 zgrab \\\\", "\\ud800"],
];
/** What may stand where `combined` has the user. */
const USERS = [
  ...["bob -", "- bob", "- -", '""', '"bob"', "[10.0.0.1] - -", "[10.0.0.1] - bob", "[10.0.0.1]", "_ bob"],
  ...["0123456789abcdef0123456789abcdef -", "0123456789abcdef0123456789abcdef bob", "bob example.org"],
  ...[
    "DOMAIN\\x5Cbob",
    "\\x5C\\x22",
    "example.org -",
    "www.example.org",
    "a.b",
    "a.b.c1",
    "3c7a1f40-0c1d-4e5f-8a9b-0123456789ab",
  ],
];
const NGINX_ERRORS = [
  'open() "/srv/<USER>" failed (2: No such file or directory)',
  "access forbidden by rule",
  'user "<USER>": password mismatch',
  'user "<USER>" was not found in "/etc/nginx/htpasswd"',
  'limiting requests, excess: 5.500 by zone "one"',
  "PAM: user '<USER>' - not authenticated: Authentication failure",
  "client sent invalid method while reading client request line",
  "no live upstreams while connecting to upstream",
  'FastCGI sent in stderr: "<USER>"',
  "SSL_do_handshake() failed (SSL: error:1 <USER>)",
  "SSL_do_handshake() failed (SSL: error:1) while SSL handshaking",
  "client sent plain HTTP request to HTTPS port while reading client request headers",
  "recv() failed (104: Connection reset by peer) while {keepalive|waiting for request|sending to client}",
];
const NGINX_FORMS = ["combined", "error", "forwarded"];
/** Addresses of the samples. */
const SAMPLE_ADDRESS = /203\.0\.113\.5|2001:db8:5::a1/;

/** Makes messages; most of their addresses came before, so that counts grow. */
export class MessageMaker {
  readonly #random: Random;
  readonly #clock: LogClock;
  readonly #templates: Readonly<Record<"SSHD" | "OWN", readonly string[]>>;
  readonly #addresses: readonly string[];

  /** @param templates of sshd's messages */
  constructor(random: Random, { clock, templates }: { clock: LogClock; templates: readonly string[] }) {
    this.#random = random;
    this.#clock = clock;
    this.#templates = { SSHD: templates, OWN: OWN_TEMPLATES };
    this.#addresses = random.times(200, () => this.#newAddress());
  }

  messageOf(module: ModuleName): string {
    const random = this.#random;
    if (module === "NGINX") return this.#nginxLine();
    if (module === "SSHD" && random.below(3) === 0) {
      const { message } = random.pick([...SSHD_SAMPLES, ...SSHD_SAMPLES, ...SSHD_NEAR_MISSES]);
      return this.#level() + message.replace(SAMPLE_ADDRESS, () => this.#address());
    }
    return (module === "SSHD" ? this.#level() : "") + this.#fill(random.pick(this.#templates[module]));
  }

  /** A piece of hostile text. */
  hostile(): string {
    return this.#fill(this.#random.pick(HOSTILE));
  }

  #level(): string {
    return this.#random.pick(["", "", "", "error: ", "fatal: "]);
  }

  /** Fills a template: see `Template`. */
  #fill(template: string): string {
    let text = template;
    // Innermost choices first.
    while (/\{[^{}]*\}/.test(text)) {
      text = text.replace(/\{([^{}]*)\}/g, (_, ways: string) => this.#random.pick(ways.split("|")));
    }
    return text.replace(/<(\w+).*?>/g, (_, element: string) => this.#element(element));
  }

  #element(element: string): string {
    const random = this.#random;
    if (element === "ADDR") return this.#address();
    if (["USER", "TEXT", "REST"].includes(element)) return this.#stranger();
    if (element === "TIME") return this.#clock.own;
    if (element === "PORT") return String(random.below(random.below(20) === 0 ? 200_000 : 65_536));
    if (element === "NUMBER") return String(random.below(100_000));
    if (element === "METHOD") return random.pick(METHODS);
    if (element === "BLANKS") return random.pick([" ", "  "]);
    if (element === "TOKEN" && random.below(3) === 0) return this.#stranger().replaceAll(/\s/g, "") || "x";
    return random.pick(WORDS);
  }

  #stranger(): string {
    const random = this.#random;
    if (random.below(3) > 0) return random.pick(NAMES);
    const text = random.times(random.below(6), () => this.hostile()).join("");
    return random.below(300) === 0 ? text.repeat(200) : text;
  }

  #address(): string {
    const random = this.#random;
    if (random.below(15) === 0) return this.#newAddress();
    if (random.below(60) === 0) return random.pick(NO_ADDRESSES);
    return this.#addresses[Math.min(random.below(200), random.below(200))]!;
  }

  #newAddress(): string {
    const random = this.#random;
    const octet = () => String(random.below(256));
    const group = () => random.below(0x10000).toString(16);
    return random.pick([
      () => `203.0.113.${octet()}`,
      () => random.times(4, octet).join("."),
      () => `2001:db8:${group()}::${group()}`,
      () => `2001:DB8:5:${random.below(4)}:0:0:${group()}:${group()}`,
      () => `::ffff:198.51.100.${octet()}`,
      () => `fe80::${group()}%eth${random.below(4)}`,
      () => random.pick(["::1", "::", "::1.2.3.4", "0.0.0.0", "64:ff9b::192.0.2.33", "1:2:3:4:5:6:7:8"]),
      () =>
        random.pick(["64:ff9b::", "::ffff:0:", "2001:0:c000:201:", "2002:c000:201:", "::"]) +
        `${group()}:${octet()}`,
    ])();
  }

  #nginxLine(): string {
    const kind = this.#random.below(10);
    if (kind === 0) {
      const samples = NGINX_SAMPLES.filter(({ form }) => NGINX_FORMS.includes(form));
      return this.#random.pick(samples).line.replace(SAMPLE_ADDRESS, () => this.#address());
    }
    return kind < 4 ? this.#errorLine() : this.#accessLine();
  }

  #request(): string {
    const random = this.#random;
    if (random.below(20) === 0) return random.pick(["-", "", "\\x16\\x03\\x01", "GET", this.#stranger()]);
    const method = random.pick(["GET", "POST", "HEAD", "get", "M-SEARCH", "CONNECT"]);
    const target = random.below(5) === 0 ? `/${this.#stranger()}` : random.pick(TARGETS);
    return `${method} ${target} ${random.pick(["HTTP/1.1", "HTTP/2.0", "HTTP/3", "HTTP/x"])}`;
  }

  #accessLine(): string {
    const random = this.#random;
    const user = random.pick([
      ...["-", "-", "-", "-"],
      random.pick(USERS),
      this.#escaped(this.#stranger()),
    ]);
    const hosts = ["example.org:80 ", "a ", "192.0.2.7, ", `${this.#escaped(this.#stranger())} `];
    const host = random.below(20) === 0 ? random.pick(hosts) : "";
    const agent = random.below(8) === 0 ? this.#escaped(this.#stranger()) : random.pick(AGENTS);
    const status = random.pick([
      "200",
      "404",
      "404",
      "401",
      "403",
      "400",
      "499",
      "301",
      "099",
      "4040",
      "405",
      "408",
    ]);
    const tail = random.pick([
      "",
      ' "-"',
      ` "${this.#escaped(this.#stranger())}" "${agent}"`,
      ` "-" "${agent}" "${this.#address()}, 10.0.0.1"`,
      ` "-" "${agent}" extra`,
      ` "https://www.a.b/" "${agent}"`,
    ]);
    const request = this.#escaped(this.#request());
    const size = random.pick(["0", "153", "-", "8192"]);
    return `${host}${this.#address()} - ${user} [${this.#clock.clf}] "${request}" ${status} ${size}${tail}`;
  }

  /** As nginx escapes what a client sent, nearly always. */
  #escaped(text: string): string {
    if (this.#random.below(20) === 0) return text;
    return text.replaceAll('"', "\\x22").replaceAll(/[\r\n\0]/g, "\\x0D");
  }

  #errorLine(): string {
    const random = this.#random;
    const client = `, client: ${this.#address()}`;
    const tail = random.pick([
      "",
      client,
      `${client}, server: example.org`,
      `${client}, server: _, request: "${this.#request()}", host: "${this.#stranger()}"`,
      `${client}, server: a.b, request: "${this.#request()}", upstream: "http://10.0.0.1/", host: "a"` +
      `, referrer: "${this.#stranger()}"`,
    ]);
    const head = `[${random.pick(["error", "warn", "crit", "info"])}] 7#7: ${
      random.pick(["*1 ", "*1 ", ""])
    }`;
    return `${this.#clock.nginx} ${head}${this.#fill(random.pick(NGINX_ERRORS))}${tail}`;
  }
}
