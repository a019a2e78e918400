/** A message of sshd that a shape must read. */
export interface Sample {
  /** Name of the shape. */
  readonly shape: string;
  readonly message: string;
  /** Canonical. */
  readonly address: string;
  readonly user?: string;
}

/** A message that resembles what a shape reads, and that names no address written by sshd where it belongs. */
export type NearMiss = Pick<Sample, "shape" | "message">;

const KEY = "ED25519 SHA256:q4mZJ3mXh2vWk0b8bT9pYyq1o0cX7rE5uV6wL2sN4aI";
const V4 = "203.0.113.5";
const V6 = "2001:db8:5::a1";

const byShape: Record<string, readonly (readonly [message: string, address: string, user?: string])[]> = {
  "verdict": [
    [`Failed password for root from ${V4} port 51234 ssh2`, V4, "root"],
    [`Failed password for invalid user oracle from ${V4} port 40022 ssh2`, V4, "oracle"],
    [`Failed password for illegal user guest from ${V4} port 40023 ssh2`, V4, "guest"],
    [`Failed none for invalid user  from ${V4} port 1025 ssh2 [preauth]`, V4, ""],
    [`Failed publickey for git from ${V6} port 60001 ssh2: ${KEY}`, V6, "git"],
    [`Failed keyboard-interactive/pam for alice from ::ffff:${V4} port 2201 ssh2`, V4, "alice"],
    [
      `Accepted publickey for deploy from fe80::1c2d:3eff:fe4f:5a6b%eth0 port 50110 ssh2: ${KEY}`,
      "fe80::1c2d:3eff:fe4f:5a6b",
      "deploy",
    ],
    [`Accepted password for bob smith from ${V4} port 50111 ssh2`, V4, "bob smith"],
    [`Postponed keyboard-interactive for carol from ${V4} port 50112 ssh2 [preauth]`, V4, "carol"],
    [`Postponed publickey for carol from ${V4} port 50112 ssh2 [preauth]`, V4, "carol"],
    [`Partial publickey for dave from ${V6} port 50113 ssh2: ${KEY}`, V6, "dave"],
    [`Failed gssapi-with-mic for erin from ${V4} port 50114 ssh2`, V4, "erin"],
  ],
  "verdict without protocol": [
    [`Accepted publickey for frank from ${V4} port 49152`, V4, "frank"],
    [`Failed password for grace from ${V6}`, V6, "grace"],
    [`Failed password for invalid user grace from ${V4} port 49153`, V4, "grace"],
  ],
  "invalid user": [
    [`Invalid user admin from ${V4} port 33100`, V4, "admin"],
    [`Invalid user admin from ${V4}`, V4, "admin"],
    [`Invalid user  from ${V6} port 33101`, V6, ""],
    [`Illegal user test from ::ffff:${V4}`, V4, "test"],
    [`error: Invalid user a b c from ${V4} port 33102 [preauth]`, V4, "a b c"],
  ],
  "not allowed": [
    [`User root from ${V4} not allowed because not listed in AllowUsers`, V4, "root"],
    [
      `User backup from ${V6} not allowed because none of user's groups are listed in AllowGroups`,
      V6,
      "backup",
    ],
    [`User news from ${V4} not allowed because account is locked`, V4, "news"],
  ],
  "connection prohibited": [
    [`administratively prohibited connection for root from ${V4} port 44090`, V4, "root"],
    [
      `administratively prohibited connection for invalid user a b from ${V6} port 44091 [preauth]`,
      V6,
      "a b",
    ],
  ],
  "root refused": [
    [`ROOT LOGIN REFUSED FROM ${V4} port 44100`, V4],
    [`ROOT LOGIN REFUSED FROM ${V6} port 44101 [preauth]`, V6],
    [`ROOT LOGIN REFUSED FROM ${V4}`, V4],
  ],
  "PAM verdict": [
    [`error: PAM: Authentication failure for root from ${V4}`, V4, "root"],
    [
      `error: PAM: User not known to the underlying authentication module for illegal user ftp from ${V6}`,
      V6,
      "ftp",
    ],
    [`PAM: Authentication failure for heidi from ${V4} via 192.0.2.22`, V4, "heidi"],
  ],
  "PAM failure": [
    [
      `pam_unix(sshd-2fa:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4}  user=kim`,
      V4,
    ],
    [
      `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4}  user=root`,
      V4,
    ],
    [`pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V6}`, V6],
    [
      `pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4} user=ivan`,
      V4,
    ],
  ],
  "PAM failures": [
    [`PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4}  user=root`, V4],
    [`PAM 1 more authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V6}`, V6],
  ],
  "attempts exceeded": [
    [
      `error: maximum authentication attempts exceeded for root from ${V4} port 40400 ssh2 [preauth]`,
      V4,
      "root",
    ],
    [
      `maximum authentication attempts exceeded for invalid user pi from ${V6} port 40401 ssh2`,
      V6,
      "pi",
    ],
  ],
  "connection ended": [
    [`Connection closed by ${V4} port 55100 [preauth]`, V4],
    [`Connection closed by ${V4}`, V4],
    [`Connection reset by ${V6} port 55101`, V6],
    [`fatal: Connection timed out with fe80::5%ens3 port 55102 [preauth]`, "fe80::5"],
  ],
  "connection of a user ended": [
    [`Connection closed by invalid user support ${V4} port 55200 [preauth]`, V4, "support"],
    [`Connection closed by authenticating user root ${V6} port 55201 [preauth]`, V6, "root"],
    [`Connection reset by user judy ${V4} port 55202`, V4, "judy"],
    [`Connection closed by invalid user  ${V4} port 55203 [preauth]`, V4, ""],
  ],
  "connection": [
    [`Connection from ${V4} port 38200 on 192.0.2.22 port 22`, V4],
    [`Connection from ${V6} port 38201 on 2001:db8::22 port 22 rdomain ""`, V6],
    [`Connection from ${V4}`, V4],
  ],
  "connection timed out": [
    [`Connection from ${V4} port 38210 timed out`, V4],
    [`Connection from invalid user ruth ${V6} port 38211 timed out [preauth]`, V6, "ruth"],
    [`Connection from authenticating user x 192.0.2.7 port 1 timed out ${V4} port 38212 timed out`, V4],
  ],
  "connection lost": [
    [`Read error from remote host ${V4} port 55110: Connection timed out`, V4],
    [`Read from remote host ${V6} port 55111: No route to host`, V6],
    [`Closing connection to ${V4} port 55112`, V4],
    [`Read error from remote host ${V6}: Connection timed out`, V6],
  ],
  "disconnected": [
    [`Disconnected from ${V4} port 38300 [preauth]`, V4],
    [`Disconnected from ${V6} port 38301`, V6],
    [`Disconnected from ::ffff:${V4}`, V4],
  ],
  "user disconnected": [
    [`Disconnected from user mallory ${V4} port 38400`, V4, "mallory"],
    [`Disconnected from invalid user minecraft ${V6} port 38401 [preauth]`, V6, "minecraft"],
    [`Disconnected from authenticating user root ${V4} port 38402 [preauth]`, V4, "root"],
  ],
  "parting words": [
    [`Received disconnect from ${V4} port 38500:11: Bye Bye [preauth]`, V4],
    [`Received disconnect from ${V6} port 38501:11: disconnected by user`, V6],
    [`error: Received disconnect from ${V4}: 3: com.jcraft.jsch.JSchException: Auth fail [preauth]`, V4],
  ],
  "disconnecting": [
    [`Disconnecting ${V4} port 38600: Too many authentication failures [preauth]`, V4],
    [`error: Disconnecting ${V6} port 38601: Packet corrupt`, V6],
  ],
  "disconnecting a user": [
    [
      `Disconnecting invalid user admin ${V4} port 38700: Too many authentication failures [preauth]`,
      V4,
      "admin",
    ],
    [
      `Disconnecting authenticating user root ${V6} port 38701: Change of username or service not allowed: (root,ssh-connection) -> (pi,ssh-connection) [preauth]`,
      V6,
      "root",
    ],
  ],
  "no identification": [
    [`Did not receive identification string from ${V4} port 38800`, V4],
    [`Did not receive identification string from ${V6}`, V6],
  ],
  "bad identification": [
    [`Bad protocol version identification 'GET / HTTP/1.1' from ${V4} port 38900`, V4],
    [`Bad protocol version identification '\\026\\003\\001' from ${V6}`, V6],
  ],
  "version differs": [
    [`Protocol major versions differ for ${V4} port 39000: SSH-2.0-OpenSSH_8.4 vs. SSH-1.5-NmapNSE_1.0`, V4],
    [`Protocol major versions differ for ${V6}: SSH-2.0-OpenSSH_7.4 vs. SSH-1.5-x`, V6],
  ],
  "discarded": [
    [`Finished discarding for ${V4}`, V4],
    [`Finished discarding for ${V6} port 39300 [preauth]`, V6],
  ],
  "obfuscation failed": [
    [`Magic value check failed (3221225985) on obfuscated handshake from ${V4} port 39301`, V4],
    [`Magic value check failed (12) on obfuscated handshake from ${V6} port 39302`, V6],
  ],
  "probe": [
    [`probed from ${V4} port 39100 with SSH-2.0-probe-5.  Don't panic.`, V4],
    [`scanned from ${V4} with SSH-1.0-SSH_Version_Mapper.  Don't panic.`, V4],
    [`scanned from ${V6} port 39101 with SSH-1.0-SSH_Version_Mapper.  Don't panic.`, V6],
  ],
  "packet failure": [
    [`banner exchange: Connection from ${V4} port 39200: invalid format`, V4],
    [
      `error: kex_exchange_identification: Connection from ${V4} port 39203: read: Connection reset by peer`,
      V4,
    ],
    [`ssh_dispatch_run_fatal: Connection from ${V6} port 39201: incomplete message [preauth]`, V6],
    [`packet_write_poll: Connection from ${V6} port 39204: Connection reset by peer [preauth]`, V6],
    [`ssh_packet_write_wait: Connection from ${V4} port 39205: Broken pipe`, V4],
    [`fatal: Fssh_packet_write_poll: Connection from ${V4} port 39208: Broken pipe [preauth]`, V4],
    [`fatal: sshpkt_fatal: Connection with ${V4} port 39202: Broken pipe`, V4],
    [`process_output: ssh_packet_write_poll: Connection from ${V4} port 39207: No route to host`, V4],
  ],
  "packet failure of a user": [
    [
      `fatal: ssh_dispatch_run_fatal: Connection from authenticating user root ${V4} port 39300: message authentication code incorrect [preauth]`,
      V4,
      "root",
    ],
    [`ssh_dispatch_run_fatal: Connection from user niaj ${V6} port 39301: Broken pipe`, V6, "niaj"],
    [`Fssh_ssh_dispatch_run_fatal: Connection from user niaj ${V4} port 39302: Broken pipe`, V4, "niaj"],
    [
      `fatal: process_output: ssh_packet_write_poll: Connection from user niaj ${V4} port 39302: Host is down`,
      V4,
      "niaj",
    ],
    [`packet_write_wait: Connection from user ann ${V6} port 39303: Broken pipe`, V6, "ann"],
  ],
  "no common host key": [
    [
      `Unable to negotiate with ${V4} port 39400: no matching host key type found. Their offer: ssh-dss [preauth]`,
      V4,
    ],
  ],
  "no common algorithm": [
    [`Unable to negotiate with ${V4} port 39402: no matching MAC found. Their offer: hmac-md5 [preauth]`, V4],
    [`fatal: Unable to negotiate with ${V6} port 39401: no matching cipher found. Their offer: 3des-cbc`, V6],
  ],
  "timeout": [
    [`fatal: Timeout before authentication for ${V4} port 39500`, V4],
    [`Timeout before authentication for ${V6}`, V6],
  ],
  "timeout of a connection": [
    [`Timeout before authentication for connection from ${V4} to 192.0.2.22, pid = 4711`, V4],
    [`fatal: Timeout before authentication for connection from ${V6} to 2001:db8::22, pid = 12`, V6],
    [`Timeout before authentication for connection from ${V6} to 2001:db8::22, pid = 12 (early)`, V6],
    [`Timeout before authentication for connection from ${V4} to 192.0.2.22, pid = 12 (sending config)`, V4],
  ],
  "client silent": [
    [`Timeout, client not responding from user root ${V4} port 51234`, V4],
    [`Timeout, client not responding from user x ${V6} port 1 ${V4} port 22`, V4],
    [`fatal: Timeout, client not responding from ${V6} port 22`, V6],
    [`terminating inactive connection from user ruth ${V4} port 51235`, V4, "ruth"],
  ],
  "connection dropped": [
    [`drop connection #10 from [${V4}]:39600 on [192.0.2.22]:22 past MaxStartups`, V4],
    [`drop connection #0 from [${V6}]:39601 on [2001:db8::22]:22 penalty: failed authentication`, V6],
    [`error: drop connection #3 from [::ffff:${V4}]:39602 on [192.0.2.22]:22 Maxstartups`, V4],
  ],
  "penalty": [
    [
      `srclimit_penalise: ipv4: new ${V4}/32 deferred penalty of 5 seconds for penalty: failed authentication`,
      V4,
    ],
    [
      `srclimit_penalise: ipv6: active ${V6}/128 penalty of 25 seconds for penalty: exceeded LoginGraceTime`,
      V6,
    ],
  ],
  "penalty in force": [
    [
      `srclimit_penalise: ${V4}/32: activating ipv4 penalty of 16.000 seconds for penalty: failed authentication`,
      V4,
    ],
    [
      `srclimit_penalise: ${V6}/128: activating ipv6 penalty of 20 seconds for penalty: caused crash`,
      V6,
    ],
  ],
  "penalty lost": [
    [
      `srclimit_penalise: ipv4 penalty table full, cannot penalise ${V4}/32 for penalty: failed authentication`,
      V4,
    ],
    [
      `srclimit_penalise: ipv6 penalty table full, cannot penalise ${V6}/128 for penalty: caused crash`,
      V6,
    ],
  ],
  "child crashed": [
    [`preauth child 4711 for connection from ${V4} to 192.0.2.22 killed by signal 31 (early)`, V4],
    [`Session process 4711 unpriv child crash for connection from ${V4} to 192.0.2.22`, V4],
    [`error: session process 4711 for connection from ${V6} to 2001:db8::22 killed by signal 11 (early)`, V6],
  ],
  "greeting not sent": [
    [`Could not write ident string to ${V4} port 39650`, V4],
    [`Could not write ident string to ${V6}`, V6],
  ],
  "refused by wrappers": [
    [`refused connect from ${V4} (${V4})`, V4],
    [`refused connect from scan.example.net (${V6})`, V6],
    [`refused connect from ${V4}`, V4],
  ],
  "reverse mapping": [
    [`reverse mapping checking getaddrinfo for dsl.example.net [${V4}] failed.`, V4],
    [
      `reverse mapping checking getaddrinfo for dsl.example.net [${V6}] failed - POSSIBLE BREAK-IN ATTEMPT!`,
      V6,
    ],
  ],
  "mapping back": [
    [`Address ${V4} maps to dsl.example.net, but this does not map back to the address.`, V4],
    [
      `Address ${V6} maps to h.example.org, but this does not map back to the address - POSSIBLE BREAK-IN ATTEMPT!`,
      V6,
    ],
  ],
  "numeric name": [
    [`Nasty PTR record "198.51.100.7" is set up for ${V4}, ignoring`, V4],
    [`Nasty PTR record "2001:db8:bad::7" is set up for ${V6}, ignoring`, V6],
  ],
  "host not permitted": [
    [
      `Authentication tried for olivia with correct key but not from a permitted host (host=${V4}, ip=${V4}, required=192.0.2.0/24).`,
      V4,
      "olivia",
    ],
    [
      `Authentication tried for root with correct key but not from a permitted host (host=dsl.example.net, ip=${V6}, required=*.example.com).`,
      V6,
      "root",
    ],
    [
      `/home/olivia/.ssh/authorized_keys:3: Authentication tried for olivia with correct key but not from a permitted host (host=dsl.example.net, ip=${V4}, required=192.0.2.0/24).`,
      V4,
      "olivia",
    ],
    [
      `Authentication tried for root with correct key but not from a permitted host (host=dsl.example.net, ip=${V6}).`,
      V6,
      "root",
    ],
  ],
  "address not permitted": [
    [
      `cert: Authentication tried for sybil with valid certificate but not from a permitted source address (${V4}).`,
      V4,
      "sybil",
    ],
    [
      `/home/trent/.ssh/authorized_keys:2: Authentication tried for trent with valid certificate but not from a permitted source address (${V6}).`,
      V6,
      "trent",
    ],
  ],
  "session of a forced command": [
    [
      `Starting session: forced-command (key-option) '/usr/bin/date -u' for peggy from ${V6} port 39701 id 1`,
      V6,
    ],
    [
      `Starting session: forced-command (config) 'x for a from 192.0.2.7 port 1 id 0' on pts/0 for peggy from ${V4} port 39701 id 1`,
      V4,
    ],
  ],
  "session": [
    [`Starting session: shell on pts/0 for peggy from ${V4} port 39700 id 0`, V4, "peggy"],
    [`Starting session: command for peggy from ${V4} port 39700 id 0`, V4, "peggy"],
    [`Starting session: subsystem 'sftp' for peggy from ${V6} port 39701 id 1`, V6, "peggy"],
    [`Close session: user peggy from ${V4} port 39700 id 0`, V4, "peggy"],
  ],
};

/** At least one message for every shape. */
export const SSHD_SAMPLES: readonly Sample[] = Object.entries(byShape).flatMap(([shape, rows]) =>
  rows.map(([message, address, user]) => ({ shape, message, address, ...user !== undefined && { user } }))
);

const misses: Record<string, readonly string[]> = {
  "verdict": [
    `Failed password for root from gateway.example.net port 51234 ssh2`,
    `Failed password for root from ${V4} port 51234 ssh3`,
    `Failed password for root from ${V4}.0 port 51234 ssh2`,
    `Accepted publickey for git from UNKNOWN port 65535 ssh2: ${KEY}`,
  ],
  "verdict without protocol": [
    `Accepted publickey for frank from ${V4} port`,
    `Failed password for frank from ${V4}, port 49152`,
  ],
  "invalid user": [
    `Invalid user admin from UNKNOWN port 65535`,
    `Invalid user admin from ${V4} port 33100 ssh2`,
  ],
  "not allowed": [
    `User root from mail.example.net not allowed because not listed in AllowUsers`,
    `User root from ${V4} is not allowed because not listed in AllowUsers`,
  ],
  "connection prohibited": [
    `administratively prohibited connection for root from UNKNOWN port 65535`,
    `administratively prohibited connection for root from ${V4}`,
  ],
  "root refused": [`ROOT LOGIN REFUSED FROM mail.example.net`, `ROOT LOGIN REFUSED from ${V4}`],
  "PAM verdict": [
    `error: PAM: Authentication failure for root from mail.example.net`,
    `PAM: pam_open_session(): ${V4}`,
  ],
  "PAM failure": [
    `pam_unix(sshd 2fa:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4}`,
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=mail.example.net  user=root`,
    `pam_unix(sudo:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${V4}  user=root`,
    `pam_unix(sshd:auth): check pass; user unknown`,
  ],
  "PAM failures": [
    `PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=  user=root`,
    `PAM service(sshd) ignoring max retries; 6 > 3`,
  ],
  "attempts exceeded": [`error: maximum authentication attempts exceeded for root from ${V4} [preauth]`],
  "connection ended": [
    `Connection closed by UNKNOWN port 65535 [preauth]`,
    `Connection closed by remote host.`,
  ],
  "connection of a user ended": [`Connection closed by invalid user ${V4} [preauth]`],
  "connection": [`Connection from UNKNOWN port 65535 on 192.0.2.22 port 22`],
  "connection timed out": [
    `Connection from UNKNOWN port 65535 timed out`,
    `Connection from ${V4} timed out`,
    `Connection from user ruth port 38211 timed out`,
  ],
  "connection lost": [
    `Read error from remote host UNKNOWN port 65535: ${V4}`,
    `Closing connection to ${V4}`,
  ],
  "disconnected": [`Disconnected from UNKNOWN port 65535`, `Disconnected from ${V4}; type: SSH`],
  "user disconnected": [`Disconnected from user mallory ${V4}`],
  "parting words": [
    `Received disconnect from UNKNOWN port 65535:11: Bye ${V4} port 22:11: [preauth]`,
    `Received signal 15; terminating.`,
  ],
  "disconnecting": [
    `Disconnecting: Too many authentication failures for root [preauth]`,
    `Disconnecting ${V4}: bye`,
  ],
  "disconnecting a user": [
    `Disconnecting invalid user admin UNKNOWN port 65535: Too many authentication failures [preauth]`,
  ],
  "no identification": [`Did not receive identification string from UNKNOWN port 65535`],
  "bad identification": [
    `Bad protocol version identification '${V4}' from UNKNOWN`,
    `Bad packet length 1349676916.`,
  ],
  "version differs": [`Protocol major versions differ for UNKNOWN: SSH-2.0-x vs. SSH-1.5-${V4}`],
  "discarded": [`Finished discarding for UNKNOWN port 65535`, `Finished discarding for ${V4}: ${V6}`],
  "obfuscation failed": [
    `Magic value check failed (x) on obfuscated handshake from ${V4} port 39301`,
    `Magic value check failed (12) on obfuscated handshake from UNKNOWN port 65535`,
  ],
  "probe": [`probed from UNKNOWN port 65535 with ${V4}.  Don't panic.`, `probed from ${V4}`],
  "packet failure": [
    `error: kex_exchange_identification: Connection closed by remote host`,
    `banner exchange: Connection from UNKNOWN port -1: invalid format`,
  ],
  "packet failure of a user": [
    `ssh_dispatch_run_fatal: Connection from user niaj UNKNOWN port 65535: Broken pipe`,
    `sshpkt_fatal: Connection from user niaj ${V4} port 1`,
  ],
  "no common host key": [
    `Unable to negotiate with UNKNOWN port 65535: no matching host key type found. Their offer: ${V4}`,
  ],
  "no common algorithm": [
    `Unable to negotiate with UNKNOWN port 65535: no matching cipher found. Their offer: ${V4}: `,
    `Unable to negotiate a key exchange method`,
  ],
  "timeout": [
    `fatal: Timeout before authentication for UNKNOWN port 65535`,
    `Timeout, client not responding from user root ${V4}`,
  ],
  "timeout of a connection": [
    `Timeout before authentication for connection from UNKNOWN to 192.0.2.22, pid = 4711`,
    `Timeout before authentication for connection from ${V4}`,
  ],
  "client silent": [
    `Timeout, client not responding from user root ${V4}`,
    `Timeout, client not responding from user root UNKNOWN port 22`,
  ],
  "connection dropped": [
    `drop connection #10 from [UNKNOWN]:65535 on [192.0.2.22]:22 past MaxStartups`,
    `drop connection #10 from ${V4} past MaxStartups`,
  ],
  "penalty": [
    `srclimit_penalise: ipv4: new 203.0.113.0/24 penalty of 5 seconds for penalty: failed authentication`,
    `srclimit_penalise: ipv6: active 2001:db8::/64 penalty of 5 seconds for penalty: failed authentication`,
  ],
  "penalty in force": [
    `srclimit_penalise: 203.0.113.0/24: activating ipv4 penalty of 16.000 seconds for penalty: caused crash`,
    `srclimit_penalise: UNKNOWN: activating ipv4 penalty of 16.000 seconds for penalty: ${V4}/32`,
  ],
  "penalty lost": [
    `srclimit_penalise: ipv4 penalty table full, cannot penalise 203.0.113.0/24 for penalty: caused crash`,
    `srclimit_penalise: ipv4 penalty table full, cannot penalise UNKNOWN for penalty: ${V4}/32 for x`,
  ],
  "child crashed": [
    `Session process 4711 unpriv child crash for connection from UNKNOWN to ${V4}`,
    `session process 4711 for ${V4} killed by signal 11`,
  ],
  "greeting not sent": [`Could not write ident string to UNKNOWN port 65535`],
  "refused by wrappers": [`refused connect from scan.example.net`, `refused connect from a b (${V4})`],
  "reverse mapping": [
    `reverse mapping checking getaddrinfo for dsl.example.net failed - POSSIBLE BREAK-IN ATTEMPT!`,
  ],
  "mapping back": [
    `Address ${V4} is in use`,
    `Address UNKNOWN maps to ${V4}, but this does not map back to the address.`,
  ],
  "numeric name": [`Nasty PTR record "${V4}" is set up for UNKNOWN, ignoring`],
  "host not permitted": [
    `Authentication tried for olivia with correct key but not from a permitted host (host=${V4}, ip=UNKNOWN, required=192.0.2.0/24).`,
  ],
  "address not permitted": [
    `cert: Authentication tried for sybil with valid certificate but not from a permitted source address (${V4}, ${V6}).`,
    `x: Authentication tried for sybil with valid certificate but not from a permitted source address (${V4}).`,
  ],
  "session of a forced command": [
    `Starting session: forced-command (config) '/usr/bin/date' for peggy from UNKNOWN port 65535 id 0`,
  ],
  "session": [
    `Starting session: shell on pts/0 for peggy from UNKNOWN port 65535 id 0`,
    `Starting session: shell for peggy from ${V4}`,
  ],
};

/** At least one for every shape. */
export const SSHD_NEAR_MISSES: readonly NearMiss[] = Object.entries(misses).flatMap(([shape, messages]) =>
  messages.map((message) => ({ shape, message }))
);
