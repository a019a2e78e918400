import { strict as assert } from "node:assert";
import { readNginxSetup } from "../../../lib/commands/init/nginx_conf.ts";

const COMBINED =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

/** Reads a configuration whose files are these, by their paths. */
function setup(files: Readonly<Record<string, string>>) {
  return readNginxSetup("/etc/nginx/nginx.conf", {
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound(path);
      return text;
    },
    list: (pattern) =>
      Object.keys(files).filter((path) =>
        path === pattern || (pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1)))
      ),
  });
}

const of = (text: string) => setup({ "/etc/nginx/nginx.conf": text });

Deno.test("`readNginxSetup()` finds logs by their absolute paths, once each, without those that are off, sent or packed", () => {
  const { logs } = of(`
    error_log /var/log/nginx/error.log warn;
    access_log off; access_log syslog:server=unix:/dev/log; access_log logs/relative.log; error_log stderr;
    access_log /var/log/nginx/access.log combined buffer=4k; access_log /var/log/nginx/access.log;
    access_log /srv/packed.log combined gzip=5;
    server { access_log "/srv/with blank/$host-\${server_port}.log" main if=$loggable; }`);
  assert.deepEqual(logs, [
    "/var/log/nginx/access.log",
    "/srv/with blank/*-*.log",
    "/var/log/nginx/error.log",
  ]);
});

Deno.test("`readNginxSetup()` gives formats only where one in use has to be known", () => {
  const cases: readonly [string, readonly string[]][] = [
    ["access_log /a.log;", []],
    [`log_format main '${COMBINED} ' "\\"$http_x_forwarded_for\\""; access_log /a.log main;`, []],
    [`log_format vhost '$host ${COMBINED}'; access_log /a.log vhost;`, []],
    [`log_format j escape=json '{"remote_addr":"$remote_addr"}'; access_log /a.log j;`, []],
    [`log_format raw escape=none '${COMBINED}'; access_log /a.log raw;`, [`escape=none ${COMBINED}`]],
    ["log_format own '$remote_addr $status'; access_log /a.log;", []],
    ["log_format own '$remote_addr $status'; access_log /a.log own buffer=1k;", ["$remote_addr $status"]],
    ["log_format own escape=json '$remote_addr' ' $status'; access_log /a.log own;", [
      "escape=json $remote_addr $status",
    ]],
    ["log_format own '$remote_addr'; access_log /a.log own; access_log /b.log;", ["$remote_addr", COMBINED]],
    ["access_log /a.log undefined;", []],
  ];
  for (const [text, formats] of cases) assert.deepEqual(of(text).formats, formats, text);
});

Deno.test("`readNginxSetup()` follows includes, in circles once, and passes over what cannot be read", () => {
  const { logs, proxies, proxyNames } = setup({
    "/etc/nginx/nginx.conf":
      "include sites/*; include /gone.conf; include nginx.conf; set_real_ip_from unix:; set_real_ip_from cdn.example;",
    "/etc/nginx/sites/a": "server { access_log /a.log; set_real_ip_from 10.0.0.1; }",
    "/etc/nginx/sites/b": "include sites/a; set_real_ip_from 2001:db8::/32; # set_real_ip_from 10.0.0.2;",
  });
  assert.deepEqual(logs, ["/a.log"]);
  assert.deepEqual([proxies, proxyNames], [["10.0.0.1", "2001:db8::/32"], ["cdn.example"]]);
  assert.throws(() => setup({}), Deno.errors.NotFound);
});

Deno.test("`readNginxSetup()` is not led astray by quotes, braces, comments, escapes and code of another language", () => {
  const { logs } = of(`
    set $a 'access_log /no.log;'; set $b "it's # none"; # access_log /no.log;
    add_header X {$remote_addr}; rewrite ^/x{2}$ /y\\;z;
    content_by_lua_block { local s = "}" access_log = 1 } access_log /yes.log`);
  assert.deepEqual(logs, []);
  assert.deepEqual(of('access_log "/quo\\"ted.log";access_log/no;').logs, ['/quo"ted.log']);
});
