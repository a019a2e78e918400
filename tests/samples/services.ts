/** Lines of a service. */
interface ServiceLines {
  /** Written by 203.0.113.5 or 2001:db8::5 at 2026-03-01 10:56:10 UTC. */
  readonly lines: readonly string[];
  /** In these, a stranger wrote 198.51.100.7. */
  readonly hostile: readonly string[];
  /** Clients who did nothing wrong. */
  readonly honest?: readonly string[];
}

/** Lines of services for which docs/modules.md has patterns. */
export const SERVICES: Readonly<Record<string, ServiceLines>> = {
  "Apache, error.log": {
    lines: [
      '[Sun Mar 01 10:56:10.978080 2026] [auth_basic:error] [pid 17512:tid 140123053950720] [client 203.0.113.5:51390] AH01617: user bob: authentication failure for "/basic/file": Password Mismatch',
      "[Sun Mar 01 10:56:10.978080 2026] [auth_basic:error] [pid 17512] [client 2001:db8::5:51390] AH01618: user bob not found: /basic/file",
      "[Sun Mar 01 10:56:10.978080 2026] [auth_digest:error] [pid 17512] [client [2001:db8::5]:51390] AH01790: user `bob' in realm `x' not found: /",
      "Mar  1 10:56:10 srv apache2[18154]: [auth_basic:error] [pid 18154:tid 140680873617152] [client 203.0.113.5:48154] AH01618: user bob not found: /x",
      "[Sun Mar 01 10:56:10.978080 2026] [auth_basic:error] [pid 17512:tid 140123053950720] [remote 203.0.113.5:51390] AH01618: user bob not found: /x",
    ],
    hostile: [
      "[Sun Mar 01 10:56:10.978080 2026] [auth_basic:error] [pid 17512] [client 203.0.113.5:51390] AH01617: user x] [client 198.51.100.7:1] AH01617: user y: authentication failure, referer: [client 198.51.100.7:1] AH01617: user z",
    ],
  },
  "Asterisk": {
    lines: [
      "[2026-03-01 10:56:10] NOTICE[1638] chan_sip.c: Registration from '<sip:301@example.com>' failed for '203.0.113.5' - Wrong password",
      "[2026-03-01 10:56:10] NOTICE[19388] res_pjsip/pjsip_distributor.c: Request from '\"1000\" <sip:1000@10.0.0.1>' failed for '203.0.113.5:48336' (callid: 276666022) - No matching endpoint found",
      "[2026-03-01 10:56:10] NOTICE[19388][C-00000fa9] res_pjsip/pjsip_distributor.c: Request from '\"1000\" <sip:1000@10.0.0.1>' failed for '2001:db8::5:48336' (callid: 206f@1.2.3.4) - Failed to authenticate",
      "[Mar  1 10:56:10] NOTICE[1] chan_sip.c: Registration from 'x' failed for '[2001:db8::5]:5060' - Wrong password",
      "[2026-03-01 10:56:10] NOTICE[77] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from '<sip:301@192.0.2.2>' failed for '203.0.113.5:5060' (callid: a1b2) - No matching endpoint found",
      "[2026-03-01 10:56:10] NOTICE[77]: res_pjsip/pjsip_distributor.c:688 log_failed_request: Request 'INVITE' from '\"301\" <sip:301@192.0.2.2>' failed for '[2001:db8::5]:5060' (callid: a1b2) - No matching endpoint found after 7 tries in 1.250 ms",
      "Mar  1 10:56:10 localhost asterisk[32229]: NOTICE[32257]: chan_sip.c:23417 in handle_request_register: Registration from '<sip:301@example.com>' failed for '203.0.113.5:36998' - Wrong password",
    ],
    hostile: [
      "[2026-03-01 10:56:10] NOTICE[1638] chan_sip.c: Registration from 'x' failed for '198.51.100.7' - Wrong password' failed for '203.0.113.5' - Wrong password",
      "[2026-03-01 10:56:10] NOTICE[77] res_pjsip/pjsip_distributor.c: Request 'INVITE' from 'x' failed for '198.51.100.7:5060' (callid: a) - No matching endpoint found' failed for '203.0.113.5:5060' (callid: b) - No matching endpoint found",
    ],
  },
  "Asterisk, security log": {
    lines: [
      '[2026-03-01 10:56:10] SECURITY[77] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="SIP",EventVersion="2",AccountID="301",SessionID="0x7f",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/203.0.113.5/5061",Challenge="1f",ReceivedChallenge="1f",ReceivedHash="2e"',
      '[Mar  1 10:56:10] SECURITY[77]: res_security_log.c:114 security_event_stasis_cb: SecurityEvent="InvalidAccountID",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="301",SessionID="a@b",LocalAddress="IPV6/TLS/2001:db8::2/5061",RemoteAddress="IPV6/TLS/2001:db8::5/40022"',
      '[2026-03-01 10:56:10] SECURITY[77] res_security_log.c: SecurityEvent="ChallengeResponseFailed",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="<unknown>",SessionID="a",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/203.0.113.5/5061",Challenge="1/2",Response="",ExpectedResponse=""',
    ],
    hostile: [
      '[2026-03-01 10:56:10] SECURITY[77] res_security_log.c: SecurityEvent="InvalidAccountID",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="x",SessionID="",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/198.51.100.7/1"",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/203.0.113.5/5061"',
      '[2026-03-01 10:56:10] SECURITY[77] res_security_log.c: SecurityEvent="ChallengeResponseFailed",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="x",SessionID="a",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/203.0.113.5/5061",Challenge="",Response="",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/198.51.100.7/1",ExpectedResponse=""',
      '[2026-03-01 10:56:10] SECURITY[77] res_security_log.c: SecurityEvent="InvalidPassword",EventTV="2026-03-01T10:56:10.296+0000",Severity="Error",Service="SIP",EventVersion="2",AccountID="x",SessionID="",LocalAddress="IPV4/UDP/192.0.2.2/1",RemoteAddress="IPV4/UDP/198.51.100.7/1",Challenge="",SessionID="0x7f",LocalAddress="IPV4/UDP/192.0.2.2/5060",RemoteAddress="IPV4/UDP/203.0.113.5/5061",Challenge="1f"',
    ],
  },
  "Authelia": {
    lines: [
      'time="2026-03-01T10:56:10Z" level=error msg="Unsuccessful 1FA authentication attempt by user \'bob\'" method=POST path=/api/firstfactor remote_ip=203.0.113.5 stack="x"',
      'time="2026-03-01T10:56:10Z" level=error msg="Unsuccessful TOTP authentication attempt by user \'bob\'" error="x" method=POST path=/api/secondfactor/totp remote_ip=2001:db8::5',
      'time="2026-03-01T10:56:10Z" level=error msg="Error occurred getting details for user with username input \'bob\' which usually indicates they do not exist" error="user not found" method=POST path=/api/firstfactor remote_ip=203.0.113.5',
      'time="2026-03-01T10:56:10Z" level=error msg="Unsuccessful 1FA authentication attempt by user \'bob\' and they are banned until 10:05:00AM" method=POST path=/api/firstfactor remote_ip=2001:db8::5',
    ],
    hostile: [
      'time="2026-03-01T10:56:10Z" level=error msg="Unsuccessful 1FA authentication attempt by user \'x\'\\" method=POST path=/ remote_ip=198.51.100.7 \'" method=POST path=/api/firstfactor remote_ip=203.0.113.5 stack="x"',
    ],
  },
  "Authelia, JSON": {
    lines: [
      '{"level":"error","method":"POST","msg":"Unsuccessful 1FA authentication attempt by user \'bob\'","path":"/api/firstfactor","remote_ip":"203.0.113.5","stack":[{"File":"x.go","Line":1}],"time":"2026-03-01T10:56:10Z"}',
      '{"error":"user not found","level":"error","method":"POST","msg":"Error occurred getting details for user with username input \'bob\' which usually indicates they do not exist","path":"/api/firstfactor","remote_ip":"2001:db8::5","time":"2026-03-01T10:56:10Z"}',
    ],
    hostile: [
      '{"error":"x\\",\\"remote_ip\\":\\"198.51.100.7","level":"error","method":"POST","msg":"Unsuccessful 1FA authentication attempt by user \'x\\",\\"path\\":\\"/\\",\\"remote_ip\\":\\"198.51.100.7\\",\'","path":"/api/firstfactor","remote_ip":"203.0.113.5","time":"2026-03-01T10:56:10Z"}',
    ],
  },
  "Caddy, access log": {
    lines: [
      '{"level":"info","ts":1772362570.1234567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.5","remote_port":"5","client_ip":"203.0.113.5","proto":"HTTP/2.0","method":"GET","host":"x.example","uri":"/","headers":{"Authorization":[],"User-Agent":["x"]}},"bytes_read":0,"user_id":"","duration":0.1,"size":0,"status":401,"resp_headers":{}}',
      '{"level":"info","ts":1772362570.1234567,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"2001:db8::5","remote_port":"5","client_ip":"2001:db8::5","proto":"HTTP/2.0","method":"GET","host":"x.example","uri":"/","headers":{"Authorization":[],"User-Agent":["x"]}},"bytes_read":0,"user_id":"","duration":0.1,"size":0,"status":401,"resp_headers":{}}',
      '{"level":"info","ts":1772362570.12,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"2001:db8::5","remote_port":"5","client_ip":"2001:db8::5","proto":"HTTP/2.0","method":"POST","host":"x.example","uri":"/login","headers":{"User-Agent":["x"]}},"bytes_read":9,"user_id":"","duration":0.1,"size":0,"status":401,"resp_headers":{}}',
      '{"level":"info","ts":"2026-03-01T10:56:10.123Z","logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.9","remote_port":"5","client_ip":"203.0.113.5","uri":"/","headers":{"Authorization":["REDACTED"]}},"status":401,"x":1}',
    ],
    hostile: [
      '{"level":"info","ts":1772362570.12,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.5","remote_port":"5","client_ip":"203.0.113.5","uri":"/\\"client_ip\\":\\"198.51.100.7\\",\\"status\\":401,","headers":{"Authorization":[]}},"status":401,"x":1}',
    ],
    honest: [
      '{"level":"info","ts":1772362570.12,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.5","remote_port":"5","client_ip":"203.0.113.5","proto":"HTTP/2.0","method":"GET","host":"x.example","uri":"/","headers":{"User-Agent":["x"]}},"bytes_read":0,"user_id":"","duration":0.1,"size":0,"status":401,"resp_headers":{}}',
    ],
  },
  "Exim": {
    lines: [
      "2026-03-01 10:56:10 dovecot_login authenticator failed for (User) [203.0.113.5]: 535 Incorrect authentication data (set_id=bob)",
      "2026-03-01 10:56:10 login authenticator failed for host.example.net (User) [2001:db8::5]: 535 Incorrect authentication data",
      "Mar  1 10:56:10 mx exim[29786]: dovecot_login authenticator failed for ([192.168.2.33]) [203.0.113.5]: 535 Incorrect authentication data (set_id=t)",
      "2026-03-01 10:56:10 auth_plain authenticator failed for (bob) [203.0.113.5]:41556 I=[192.0.2.2]:587: 535 Incorrect authentication data (set_id=bob@example.org)",
      "2026-03-01 10:56:10 dovecot_login authenticator failed for host.example.net ([127.0.0.1]) [2001:db8::5]:21298 I=[2001:db8::2]:465 U=bob Ci=30416: 535 Incorrect authentication data (set_id=bob)",
      "2026-03-01 10:56:10 +0000 [123] plain_server authenticator failed for (x) [203.0.113.5]: 535 Incorrect authentication data",
    ],
    hostile: [
      "2026-03-01 10:56:10 dovecot_login authenticator failed for ([198.51.100.7]) [203.0.113.5]: 535 Incorrect authentication data (set_id=x [198.51.100.7]: 535 Incorrect authentication data)",
      "2026-03-01 10:56:10 dovecot_login authenticator failed for (x) [198.51.100.7]: 535 Incorrect authentication data) [203.0.113.5]:1 I=[192.0.2.2]:25: 535 Incorrect authentication data (set_id=x)",
      "2026-03-01 10:56:10 dovecot_login authenticator failed for (x) [203.0.113.5]:1 I=[192.0.2.2]:25: 535 Incorrect authentication data (set_id=x) [198.51.100.7]: 535 Incorrect authentication data (set_id=y)",
    ],
  },
  "GitLab, application.log (up to 15.10)": {
    lines: [
      "March 01, 2026 10:56:10: Failed Login: username=bob ip=203.0.113.5",
      "2026-03-01T10:56:10.667Z: Failed Login: username=user name ip=2001:db8::5",
    ],
    hostile: ["2026-03-01T10:56:10.667Z: Failed Login: username=x ip=198.51.100.7 ip=203.0.113.5"],
  },
  "GitLab, application_json.log": {
    lines: [
      '{"severity":"INFO","time":"2026-03-01T10:56:10.667Z","correlation_id":"01J","meta.caller_id":"SessionsController#create","meta.remote_ip":"203.0.113.5","meta.client_id":"ip/203.0.113.5","message":"Failed Login: username=bob ip=203.0.113.5"}',
      '{"severity":"INFO","time":"2026-03-01T10:56:10.667Z","correlation_id":null,"message":"Failed Login: username=user name ip=2001:db8::5","pid":7}',
    ],
    hostile: [
      '{"severity":"INFO","time":"2026-03-01T10:56:10.667Z","correlation_id":null,"message":"Failed Login: username=x ip=198.51.100.7\\"} ip=203.0.113.5"}',
      '{"severity":"INFO","time":"2026-03-01T10:56:10.667Z","correlation_id":null,"message":"Failed Login: username=x\\",\\"message\\":\\"Failed Login: username=x ip=198.51.100.7 ip=203.0.113.5"}',
    ],
  },
  "Gotify, and others by Gin": {
    lines: [
      '[GIN] 2026/03/01 - 10:56:10 | 401 |     505.317µs |     203.0.113.5 | POST     "/client"',
      '[GIN] 2026/03/01 - 10:56:10 |\x1b[90;43m 401 \x1b[0m|   12.30001ms |     2001:db8::5 |\x1b[97;46m POST    \x1b[0m "/client"',
    ],
    hostile: [
      '[GIN] 2026/03/01 - 10:56:10 | 401 |     505.317µs |     203.0.113.5 | POST     "/x [GIN] 2026/03/01 - 10:56:10 | 401 | 1ms | 198.51.100.7 | POST "',
    ],
    honest: [
      '[GIN] 2026/03/01 - 10:56:10 | 401 |     505.317µs |     203.0.113.5 | GET      "/client"',
    ],
  },
  "Grafana": {
    lines: [
      'logger=context userId=0 orgId=0 uname= t=2026-03-01T10:56:10.123456789Z level=info msg="Request Completed" method=POST path=/login status=401 remote_addr=203.0.113.5 time_ms=12 duration=12.3ms size=52 referer="http://x/login" handler=/login status_source=server',
      'logger=context userId=0 orgId=0 uname= t=2026-03-01T10:56:10.123456789Z level=info msg="Request Completed" method=POST path=/login status=401 remote_addr=[2001:db8::5] time_ms=12 duration=12.3ms size=52 referer="http://x/login" handler=/login status_source=server',
    ],
    hostile: [
      'logger=context userId=0 orgId=0 uname= t=2026-03-01T10:56:10.1Z level=info msg="Request Completed" method=POST path=/login status=401 remote_addr=203.0.113.5 time_ms=12 referer="x msg=\\"Request Completed\\" method=POST path=/login status=401 remote_addr=198.51.100.7 "',
    ],
  },
  "Grafana, JSON": {
    lines: [
      '{"duration":"8.1ms","error":"x","errorMessageID":"password-auth.failed","handler":"/login","level":"info","logger":"context","method":"POST","msg":"Request Completed","orgId":0,"path":"/login","referer":"","remote_addr":"203.0.113.5","size":94,"status":401,"status_source":"server","t":"2026-03-01T10:56:10.123456789Z","time_ms":8,"uname":"","userId":0}',
      '{"duration":"8.1ms","handler":"/login","level":"info","logger":"context","method":"POST","msg":"Request Completed","orgId":0,"path":"/login","referer":"http://x/login","remote_addr":"[2001:db8::5]","size":94,"status":401,"t":"2026-03-01T10:56:10.1Z","time_ms":8,"uname":"","userId":0}',
    ],
    hostile: [
      '{"level":"info","logger":"context","method":"POST","msg":"Request Completed","orgId":0,"path":"/login","referer":"\\",\\"remote_addr\\":\\"198.51.100.7\\",\\"size\\":1,\\"status\\":401,","remote_addr":"203.0.113.5","size":94,"status":401,"t":"2026-03-01T10:56:10.1Z"}',
    ],
  },
  "HAProxy": {
    lines: [
      'Mar  1 10:56:10 host haproxy[760]: 203.0.113.5:58444 [01/Mar/2026:10:56:10.439] main main/<NOSRV> -1/-1/-1/-1/0 401 248 - - PR-- 0/0/0/0/0 0/0 "GET / HTTP/1.1"',
      'Mar  1 10:56:10 host haproxy[760]: 2001:db8::5:58444 [01/Mar/2026:10:56:10.439] main main/<NOSRV> -1/-1/-1/-1/0 401 248 - - PR-- 0/0/0/0/0 0/0 "GET / HTTP/1.1"',
      'Mar  1 10:56:10 host haproxy[760]: ::ffff:203.0.113.5:58444 [01/Mar/2026:10:56:10.439] main main/<NOSRV> -1/-1/-1/-1/0 401 248 - - PR-- 0/0/0/0/0 0/0 "GET / HTTP/1.1"',
    ],
    hostile: [],
  },
  "Home Assistant": {
    lines: [
      "2026-03-01 10:56:10.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from host.example (203.0.113.5). Requested URL: '/auth/login_flow/x'. (Mozilla)",
      "2026-03-01 10:56:10.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from host.example (2001:db8::5). Requested URL: '/auth/login_flow/x'. (Mozilla)",
    ],
    hostile: [
      "2026-03-01 10:56:10.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from h (203.0.113.5). Requested URL: '/ (198.51.100.7). Requested URL: '. (x)",
    ],
  },
  "Immich": {
    lines: [
      "2026-03-01T10:56:10.123456789Z [Nest] 7  - 03/01/2026, 10:56:10 AM    WARN [Api:AuthService~abc] Failed login attempt for user bob@x from ip address 203.0.113.5",
      "2026-03-01T10:56:10.123456789Z \u001b[33m[Nest] 7  - \u001b[39m03/01/2026, 10:56:10 AM \u001b[33m   WARN\u001b[39m \u001b[38;5;3m[Api:AuthService~abc]\u001b[39m \u001b[33mFailed login attempt for user bob from ip address 2001:db8::5\u001b[39m",
      "2026-03-01T10:56:10.1Z [Nest] 7  - 08/02/2023, 7:34:03    WARN [AuthService] Failed login attempt for user fds@hdd.com from ip address 203.0.113.5",
    ],
    hostile: [
      "2026-03-01T10:56:10.1Z [Nest] 7  - 08/02/2023, 7:34:03    WARN [AuthService] Failed login attempt for user x from ip address 198.51.100.7 from ip address 203.0.113.5",
    ],
  },
  "Jellyfin": {
    lines: [
      '[2026-03-01 10:56:10.123 +00:00] [INF] [23] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for "bob" has been denied (IP: "203.0.113.5").',
      "[2026-03-01 10:56:10.123 +00:00] [INF] [23] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for bob has been denied (IP: 2001:db8::5).",
      "2026-03-01T10:56:10.1Z [10:56:10] [INF] [23] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for bob has been denied (IP: 203.0.113.5).",
      "Mar  1 10:56:10 h jellyfin[1]: [10:56:10] [INF] [23] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for bob has been denied (IP: 2001:db8::5).",
    ],
    hostile: [
      '[2026-03-01 10:56:10.123 +00:00] [INF] [23] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for "x" has been denied (IP: "198.51.100.7")." has been denied (IP: "203.0.113.5").',
    ],
  },
  "Keycloak": {
    lines: [
      '2026-03-01 10:56:10,123 WARN  [org.keycloak.events] (executor-thread-12) type="LOGIN_ERROR", realmId="m", realmName="master", clientId="c", userId="null", ipAddress="203.0.113.5", error="user_not_found", auth_method="openid-connect", redirect_uri="http://x", username="bob"',
      '2026-03-01 10:56:10,123 WARN  [org.keycloak.events] (executor-thread-12) type="LOGIN_ERROR", realmId="m", realmName="master", clientId="c", userId="null", ipAddress="2001:db8::5", error="user_not_found", auth_method="openid-connect", redirect_uri="http://x", username="bob"',
      "2026-03-01 10:56:10,123 WARN  [org.keycloak.events] (default task-15) type=LOGIN_ERROR, realmId=master, clientId=c, userId=null, ipAddress=203.0.113.5, error=invalid_user_credentials, auth_method=openid-connect, username=bob",
    ],
    hostile: [
      '2026-03-01 10:56:10,123 WARN  [org.keycloak.events] (executor-thread-12) type="LOGIN_ERROR", realmId="m", clientId="c", userId="null", ipAddress="203.0.113.5", error="user_not_found", username="x", ipAddress="198.51.100.7", error="user_not_found""',
    ],
  },
  "MariaDB, MySQL": {
    lines: [
      "2026-03-01 10:56:10 5907 [Warning] Access denied for user 'root'@'203.0.113.5' (using password: YES)",
      "260301 10:56:10 [Warning] Access denied for user 'root'@'2001:db8::5' (using password: NO)",
      "2026-03-01T10:56:10.634875Z 113 [Note] [MY-010926] [Server] Access denied for user 'root'@'203.0.113.5' (using password: NO)",
      "2026-03-01 10:56:10 4644 [Warning] Access denied for user 'root'@'203.0.113.5'",
      "Mar  1 10:56:10 host mariadbd[12]: 2026-03-01 10:56:10 7 [Warning] Access denied for user 'user'@'2001:db8::5' (using password: YES)",
    ],
    hostile: [
      "2026-03-01 10:56:10 5907 [Warning] Access denied for user 'x'@'198.51.100.7' (using password: YES)'@'203.0.113.5' (using password: YES)",
      "2026-03-01 10:56:10 5907 [Warning] Access denied for user 'x'@'198.51.100.7'@'203.0.113.5'",
    ],
  },
  "Mattermost": {
    lines: [
      '{"timestamp":"2026-03-01 10:56:10.123 Z","level":"error","msg":"Login failed because of invalid password","caller":"mlog/log.go:172","path":"/api/v4/users/login","request_id":"x","ip_addr":"203.0.113.5","user_id":"","method":"POST","err_where":"checkUserPassword","http_code":401,"error":"x"}',
      '{"timestamp":"2026-03-01 10:56:10.123 Z","level":"error","msg":"Login failed because of invalid password","caller":"mlog/log.go:172","path":"/api/v4/users/login","request_id":"x","ip_addr":"2001:db8::5","user_id":"","method":"POST","err_where":"checkUserPassword","http_code":401,"error":"x"}',
    ],
    hostile: [],
  },
  "MongoDB": {
    lines: [
      '{"t":{"$date":"2026-03-01T10:56:10.123+00:00"},"s":"I",  "c":"ACCESS",   "id":20249,   "ctx":"conn5","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","speculative":true,"principalName":"bob","authenticationDatabase":"admin","remote":"203.0.113.5:40022","extraInfo":{},"error":"UserNotFound: Could not find user"}}',
      '{"t":{"$date":"2026-03-01T10:56:10.123+00:00"},"s":"I",  "c":"ACCESS",   "id":20249,   "ctx":"conn5","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","speculative":true,"principalName":"bob","authenticationDatabase":"admin","remote":"2001:db8::5:40022","extraInfo":{},"error":"UserNotFound: Could not find user"}}',
      '{"t":{"$date":"2026-03-01T10:56:10.123+00:00"},"s":"I",  "c":"ACCESS",   "id":20249,   "ctx":"conn5","msg":"Authentication failed","attr":{"mechanism":"SCRAM-SHA-256","speculative":true,"principalName":"bob","authenticationDatabase":"admin","remote":"[2001:db8::5]:40022","extraInfo":{},"error":"UserNotFound: Could not find user"}}',
      '{"t":{"$date":"2026-03-01T10:56:10.123+00:00"},"s":"I",  "c":"ACCESS",   "id":5286307, "svc":"-", "ctx":"conn5","msg":"Failed to authenticate","attr":{"client":"203.0.113.5:5","isSpeculative":true,"mechanism":"SCRAM-SHA-256","user":"bob","db":"admin","error":"x"}}',
    ],
    hostile: [
      '{"t":{"$date":"2026-03-01T10:56:10.123+00:00"},"s":"I",  "c":"ACCESS",   "id":5286307, "ctx":"conn5","msg":"Failed to authenticate","attr":{"client":"203.0.113.5:5","user":"\\"client\\":\\"198.51.100.7:1\\""}}',
    ],
  },
  "Mosquitto": {
    lines: [
      "1772362570: Client mosq-a [203.0.113.5:40022] disconnected, not authorised.",
      "2026-03-01T10:56:10Z: Client mosq-a [203.0.113.5:40022] disconnected: not authorised.",
      "2026-03-01T10:56:10: Client x [2001:db8::5:5] disconnected, not authorised.",
      "Mar  1 10:56:10 host mosquitto[1]: 1772362570: Client x [2001:db8::5:5] disconnected, not authorised.",
    ],
    hostile: [
      "1772362570: Client x [198.51.100.7:1] disconnected, not authorised. [203.0.113.5:40022] disconnected, not authorised.",
    ],
  },
  "OpenVPN, password": {
    lines: [
      "2026-03-01 10:56:10 203.0.113.5:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
      "Mar  1 10:56:10 host ovpn-server[901]: 2001:db8::5 TLS Auth Error: Auth Username/Password verification failed for peer",
      "Sun Mar  1 10:56:10 2026 203.0.113.5:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
      "2026-03-01 10:56:10 udp4:203.0.113.5:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
      "2026-03-01 10:56:10 tcp6-server:[2001:db8::5]:1194 TLS Auth Error: Auth Username/Password verification failed for peer",
    ],
    hostile: [],
  },
  "PostgreSQL, jsonlog": {
    lines: [
      '{"timestamp":"2026-03-01 10:56:10.038 UTC","user":"bob","dbname":"x","pid":1659,"remote_host":"203.0.113.5","remote_port":40022,"session_id":"69.1","line_num":1,"ps":"authentication","session_start":"2026-03-01 10:56:09 UTC","vxid":"3/2","txid":0,"error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \\"bob\\"","backend_type":"client backend","query_id":0}',
      '{"timestamp":"2026-03-01 10:56:10.038 UTC","user":"bob","dbname":"x","pid":1659,"remote_host":"2001:db8::5","remote_port":40022,"session_id":"69.1","line_num":1,"error_severity":"FATAL","state_code":"28P01","message":"password authentication failed for user \\"bob\\""}',
    ],
    hostile: [
      '{"timestamp":"2026-03-01 10:56:10.038 UTC","user":"x\\",\\"remote_host\\":\\"198.51.100.7\\",\\"remote_port\\":1,","dbname":"x","pid":1659,"remote_host":"203.0.113.5","remote_port":40022,"error_severity":"FATAL","state_code":"28P01","message":"x"}',
    ],
  },
  "PostgreSQL, log_line_prefix = '%m [%p] %h '": {
    lines: [
      '2026-03-01 10:56:10.038 UTC [1659] 203.0.113.5 FATAL:  password authentication failed for user "x"',
      '2026-03-01 07:56:10.038 -03 [1659] 2001:db8::5 FATAL:  password authentication failed for user "x"',
    ],
    hostile: [],
  },
  "Proxmox": {
    lines: [
      "Mar  1 10:56:10 host pvedaemon[12021]: authentication failure; rhost=203.0.113.5 user=root@pam msg=no such user",
      "Mar  1 10:56:10 host pvedaemon[12021]: authentication failure; rhost=::ffff:203.0.113.5 user=root@pam msg=x",
      "2026-03-01T10:56:10+00:00: authentication failure; rhost=[::ffff:203.0.113.5]:47414 user=root@pbs msg=user account disabled or expired.",
      "2026-03-01T10:56:10+00:00: authentication failure; rhost=[2001:db8::5]:47414 user=root@pbs msg=x",
    ],
    hostile: [
      "Mar  1 10:56:10 host pvedaemon[12021]: authentication failure; rhost=203.0.113.5 user=x rhost=198.51.100.7 user=y msg=z",
    ],
  },
  "Pure-FTPd": {
    lines: [
      "Mar  1 10:56:10 host pure-ftpd[4711]: (?@203.0.113.5) [WARNING] Authentication failed for user [bob]",
      "Mar  1 10:56:10 host pure-ftpd: (?@2001:db8::5) [WARNING] Authentication failed for user [a b]",
    ],
    hostile: [
      "Mar  1 10:56:10 host pure-ftpd: (?@203.0.113.5) [WARNING] Authentication failed for user [x] (?@198.51.100.7) [WARNING] Authentication failed for user [y]",
    ],
  },
  "Roundcube, userlogins.log": {
    lines: [
      "[01-Mar-2026 10:56:10 +0000]: <sess> Failed login for bob from 203.0.113.5 in session abc (error: 0)",
      "Mar  1 10:56:10 host roundcube: <sess> Failed login for bob from 2001:db8::5 in session abc (error: 0)",
      "[01-Mar-2026 10:56:10.123456 +0000]: <sess> Failed login for bob from 203.0.113.5(X-Forwarded-For: 1.2.3.4) in session abc (error: 0)",
    ],
    hostile: [
      "[01-Mar-2026 10:56:10 +0000]: <sess> Failed login for x from 198.51.100.7 in session a (error: 0) from 203.0.113.5 in session abc (error: 0)",
    ],
  },
  "Traefik, access log in JSON": {
    lines: [
      '{"ClientAddr":"203.0.113.5:33796","ClientHost":"203.0.113.5","ClientPort":"33796","ClientUsername":"bob","DownstreamStatus":401,"Duration":1,"StartUTC":"2026-03-01T10:56:10.8Z","time":"2026-03-01T10:56:10Z"}',
      '{"ClientAddr":"203.0.113.5:33796","ClientHost":"203.0.113.5","ClientPort":"33796","ClientUsername":"-","DownstreamStatus":401,"Duration":1,"RequestHost":"x.example","RequestMethod":"POST","RequestPath":"/login","time":"2026-03-01T10:56:10Z"}',
      '{"ClientAddr":"[2001:db8::5]:33796","ClientHost":"2001:db8::5","ClientPort":"33796","ClientUsername":"-x","DownstreamStatus":401,"RequestPath":"/","time":"2026-03-01T10:56:10Z"}',
    ],
    hostile: [
      '{"ClientAddr":"203.0.113.5:1","ClientHost":"203.0.113.5","ClientUsername":"\\",\\"ClientHost\\":\\"198.51.100.7\\",","DownstreamStatus":401,"time":"2026-03-01T10:56:10Z"}',
    ],
    honest: [
      '{"ClientAddr":"203.0.113.5:1","ClientHost":"203.0.113.5","ClientUsername":"-","DownstreamStatus":401,"RequestMethod":"GET","time":"2026-03-01T10:56:10Z"}',
    ],
  },
  "WordPress, plugin WP fail2ban": {
    lines: [
      "Mar  1 10:56:10 web wordpress(blog.example.org)[12]: Authentication failure for admin from 203.0.113.5",
      "Mar  1 10:56:10 web wp(blog.example.org)[12]: Authentication attempt for unknown user bob from 2001:db8::5 via XML-RPC",
      "Mar  1 10:56:10 web wp(blog.example.org)[12]: XML-RPC authentication failure for bob from 203.0.113.5",
    ],
    hostile: [
      "Mar  1 10:56:10 web wp(blog.example.org)[12]: Authentication failure for x from 198.51.100.7 from 203.0.113.5",
      "Mar  1 10:56:10 web wp(blog.example.org)[12]: Authentication failure for x from 198.51.100.7 via XML-RPC from 203.0.113.5",
    ],
  },
};
