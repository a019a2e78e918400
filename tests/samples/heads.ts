/** What syslog and collectors of logs put before a message: a sample of each head and a near miss. */
import type { Micros } from "../../lib/core/time.ts";

const TIME: Micros = Date.parse("2026-03-09T04:05:06Z") * 1_000;
const OLD: Micros = Date.parse("2020-03-10T04:05:06Z") * 1_000;

/** A message behind a head. */
export interface HeadSample {
  /** The line, in which `%` stands for the message. */
  readonly line: string;
  /** What its time means, in microseconds since the epoch; null: nothing. */
  readonly time: Micros | null;
  /** What its tag names, or all that it tells: a bare message then. */
  readonly program?: string;
  readonly pid?: number | null;
  readonly count?: number;
  /** Whether it is read only if the program is a module's by name. */
  readonly isKnown?: boolean;
  /** Whether it is read only for services that write no JSON of their own. */
  readonly isObject?: boolean;
  /** Whether quotes in the message are doubled. */
  readonly isQuoted?: boolean;
  /** Whether the message stands as it is where JSON would escape it. */
  readonly isPrinted?: boolean;
  /** A line that only resembles it: no such head is taken off in front of the message. */
  readonly nearMiss: string;
}

/** Every head that is read. All name the process 4711 of sshd and 2026-03-09 04:05:06 UTC unless told. */
export const HEADS: Readonly<Record<string, readonly HeadSample[]>> = {
  "classic syslog": [
    { line: "Mar  9 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "Mat  9 04:05:06 web sshd[4711]: %" },
    { line: "Mar 9 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "Mar 9 4:05:06 web sshd[4711]: %" },
    { line: "Mar 09 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "Mar 009 04:05:06 web sshd[4711]: %" },
    {
      line: "Mar  9 04:05:06.123456 web sshd[4711]: %",
      time: TIME + 123_456,
      nearMiss: "Mar  9 04:05:06.web sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06,5 web sshd[4711]: %",
      time: TIME + 500_000,
      nearMiss: "Mar  9 04:05:06;5 web sshd[4711]: %",
    },
    { line: "Mar  9 04:05:06: web sshd[4711]: %", time: TIME, nearMiss: "Mar  9 04:05:06:web sshd[4711]: %" },
    { line: "Mar  9 04:05:06 web sshd: %", time: TIME, pid: null, nearMiss: "Mar  9 04:05:06 web sshd:%" },
    { line: "Mar  9 04:05:06 web sshd[4711]:%", time: TIME, nearMiss: "Mar  9 04:05:06 web sshd[4711]%" },
    { line: "Mar  9 04:05:06 sshd[4711]: %", time: TIME, nearMiss: "Mar  9 04:05:06 sshd[x]: %" },
    {
      line: "<38>Mar  9 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "<3800>Mar  9 04:05:06 web sshd[4711]: %",
    },
    {
      line: "[Mar  9 04:05:06] web sshd[4711]: %",
      time: TIME,
      nearMiss: "[Mar  9 04:05:06 web sshd[4711]: %",
    },
    {
      line: "Mar  9 05:05:06 CET web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 05:05:06CET web sshd[4711]: %",
    },
  ],
  "a year in classic syslog, and the time of ctime(3)": [
    {
      line: "Mar  9 2026 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 26 04:05:06 web sshd[4711]: %",
    },
    {
      line: "2026 Mar  9 04:05:06.25 web sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "26 Mar  9 04:05:06.25 web sshd[4711]: %",
    },
    {
      line: "2026-Mar-09 04:05:06.25 sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026-Mär-09 04:05:06.25 sshd[4711]: %",
    },
    {
      line: "Mon Mar  9 04:05:06 2026 web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar 2026 web sshd[4711]: %",
    },
    {
      line: "Mon Mar  9 04:05:06 UTC 2026 sshd[4711]: %",
      time: TIME,
      nearMiss: "Mun Mar  9 04:05:06 2026 sshd[4711]: %",
    },
    { line: "Tue Mar 10 04:05:06 2020 sshd[4711]: %", time: OLD, nearMiss: "Tue Mar 10 2020 sshd[4711]: %" },
  ],
  "halves of a day": [
    {
      line: "Mon Mar  9 04:05:06 AM UTC 2026 web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar  9 04:05:06 AN UTC 2026 web sshd[4711]: %",
    },
    {
      line: "Sun Mar  8 11:05:06 PM EST 2026: web sshd[4711]: %",
      time: TIME,
      nearMiss: "Sun Mar  8 11:05:06 P EST 2026: web sshd[4711]: %",
    },
    {
      line: "2026-03-09 04:05:06.5 AM web sshd[4711]: %",
      time: TIME + 500_000,
      nearMiss: "2026-03-09 04:05:06.5 AMB web a sshd[4711]: %",
    },
    {
      line: "Mon 09 Mar 2026 04:05:06 AM sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon 09 Mat 2026 04:05:06 AM sshd[4711]: %",
    },
  ],
  "halves of a day in small letters, and of hours with one digit": [
    {
      line: "2026-03-09, 4:05:06 a.m. web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09, 4:05:06 a.mm. web a sshd[4711]: %",
    },
    {
      line: "2026-03-08 11:05:06pm EST sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-08 11:05:06pms EST sshd[4711]: %",
    },
    {
      line: "2026-03-09 04:05:06 am sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09 04:05:06 a big apple sshd[4711]: %",
    },
  ],
  "names of days and months in other languages": [
    { line: "Mär 09 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "Mör 09 04:05:06 web sshd[4711]: %" },
    {
      line: "mars 09 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "marz 09 04:05:06 web sshd[4711]: %",
    },
    {
      line: "márc. 9 04:05:06.25 web sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "márc, 9 04:05:06.25 web sshd[4711]: %",
    },
    { line: "Mär  9 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "Mör  9 04:05:06 web sshd[4711]: %" },
    { line: "мар 09 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "мыр 09 04:05:06 web sshd[4711]: %" },
    { line: " 3月 09 04:05:06 web sshd[4711]: %", time: TIME, nearMiss: "3日 09 04:05:06 web sshd[4711]: %" },
    {
      line: "MAR 09 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "MAI9 04:05:06 web web sshd[4711]: %",
    },
    {
      line: "Mo 2026-03-09 05:05:06 CET web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mu 2026-03-09 05:05:06 CET web sshd[4711]: %",
    },
    {
      line: "tis 2026-03-09 05:05:06 CET web sshd[4711]: %",
      time: TIME,
      nearMiss: "tix 2026-03-09 05:05:06 CET web sshd[4711]: %",
    },
    {
      line: "lun. 2026-03-09 04:05:06 UTC sshd[4711]: %",
      time: TIME,
      nearMiss: "lunx 2026-03-09 04:05:06 UTC sshd[4711]: %",
    },
  ],
  "several blanks for one": [
    {
      line: "Mar  9  04:05:06  web  sshd[4711]:  %",
      time: TIME,
      nearMiss: "Mar  9  04 :05:06  web  sshd[4711]:  %",
    },
    {
      line: "Mon  Mar   9 04:05:06 2026  web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon  Mar   9 04:05:06 2026  web a b sshd[4711]: %",
    },
    {
      line: "2026-03-09\t 04:05:06  \tweb  sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09\t T04:05:06  \tweb  sshd[4711]: %",
    },
  ],
  "zones by hours and by name": [
    {
      line: "Mon Mar 09 2026 05:05:06 GMT+0100 sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar 09 2026 05:05:06 GMT+01 00 a b sshd[4711]: %",
    },
    {
      line: "2026-03-09 05:05:06 GMT+1 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09 05:05:06 GMT+1x a web sshd[4711]: %",
    },
    {
      line: "2026-03-09 01:05:06 -03 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09 01:05:06 -3 web a sshd[4711]: %",
    },
    {
      line: "2026-03-09 09:50:06.038 +0545 web sshd[4711]: %",
      time: TIME + 38_000,
      nearMiss: "2026-03-09 09:50:06.038+ 0545 web sshd[4711]: %",
    },
    {
      line: "2026-03-08 23:05:06 EST web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-08 23:05:06EST web sshd[4711]: %",
    },
    {
      line: "2026-03-09 11:05:06.038 WIB web sshd[4711]: %",
      time: TIME + 38_000,
      nearMiss: "2026-03-09 11:05:06.038 WIBX web a sshd[4711]: %",
    },
    {
      line: "Mon Mar  9 05:05:06 CET 2026 sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar  9 05:05:06 CET26 a b sshd[4711]: %",
    },
  ],
  "tabs for blanks": [
    {
      line: "Mar  9 04:05:06\tweb\tsshd[4711]:\t%",
      time: TIME,
      nearMiss: "Mar  9 04:05:06\v\0web\tsshd[4711]:\t%",
    },
    { line: "Mar\t9\t04:05:06\tweb sshd[4711]: %", time: TIME, nearMiss: "Mar\t\t\t9\t04:05:06\tweb %" },
    { line: "Mar  9 05:05:06\tCET\tsshd[4711]: %", time: TIME, nearMiss: "Mar  9 05:05:06\tCAT5 a\tsshd: %" },
    {
      line: "2026-03-09\t04:05:06.25\tweb\tauth.info\tsshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09\t04:05:06.25\tweb\tauth,info\ta\tsshd[4711]: %",
    },
    { line: "web\tsshd[4711]:\t%", time: null, nearMiss: "the\tweb\tsshd[4711]:\t%" },
    {
      line: "<38>1\t2026-03-09T04:05:06Z\tweb\tsshd\t4711\t-\t-\t%",
      time: TIME,
      nearMiss: "<38>1\t2026-03-09T04:05:06Z\tweb\tsshd\t4711\t-\t%",
    },
    {
      line: "2026-03-09T04:05:06Z\tstdout\tF\t%",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06Z\tstdin\tF\t%",
    },
    { line: "[09/Mar/2026:05:05:06 +0100]\tsshd[4711]:\t%", time: TIME, nearMiss: "[09/Mar/2026]\tsshd:\t%" },
    {
      line: "260309 04:05:06\t\t%",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2603091 04:05:06\t\t%",
    },
  ],
  "MySQL and MariaDB": [
    {
      line: "2026-03-09  4:05:06 %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2026-03-09 004:05:06 %",
    },
    { line: "260309  4:05:06 %", time: TIME, program: "", pid: null, nearMiss: "260309 004:05:06 %" },
    { line: "260309 04:05:06 %", time: TIME, program: "", pid: null, nearMiss: "26030 04:05:06 %" },
  ],
  "times of a service's own": [
    {
      line: "09-MAR-2026 04:05:06 sshd[4711]: %",
      time: TIME,
      nearMiss: "09-MAt-2026 04:05:06 sshd[4711]: %",
    },
    {
      line: "2026/03/09-04:05:06.25 sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026/03/09--04:05:06.25 sshd[4711]: %",
    },
    {
      line: "[2026-03-09 04:05:06.5] web sshd[4711]: %",
      time: TIME + 500_000,
      nearMiss: "[2026-03-09 04:05:06.5 web sshd[4711]: %",
    },
    {
      line: "[09/Mar/2026:05:05:06 +0100] sshd[4711]: %",
      time: TIME,
      nearMiss: "[09/Mar/2026:05:05:06 +0100 sshd[4711]: %",
    },
    {
      line: "Mon, 09 Mar 2026 05:05:06 +0100: sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon, 09 Mat 2026 05:05:06 +0100: sshd[4711]: %",
    },
    {
      line: "[09-Mar-2026 05:05:06 Europe/Berlin] sshd[4711]: %",
      time: TIME,
      nearMiss: "[09-Mar-2026 05:05:06 in Europe/Berlin] sshd[4711]: %",
    },
    {
      line: "[2026-03-08 23:05:06 EST] sshd[4711]: %",
      time: TIME,
      nearMiss: "[2026-03-08 23:05:06 EST7EDT] sshd[4711]: %",
    },
    {
      line: "20260309-04:05:06 sshd[4711]: %",
      time: TIME,
      nearMiss: "2026030-04:05:06 sshd[4711]: %",
    },
    {
      line: "20260309_04:05:06.5 sshd[4711]: %",
      time: TIME + 500_000,
      nearMiss: "20260309__04:05:06.5 sshd[4711]: %",
    },
    { line: "20260309T040506Z sshd[4711]: %", time: TIME, nearMiss: "20260309T0405Z a sshd[4711]: %" },
    { line: "09.03.2026 04:05:06 sshd[4711]: %", time: TIME, nearMiss: "09.03.26 04:05:06 sshd[4711]: %" },
    { line: "2026.03.09 04:05:06 sshd[4711]: %", time: TIME, nearMiss: "2026.3.9 04:05:06 sshd[4711]: %" },
    { line: "1773029106 sshd[4711]: %", time: TIME, nearMiss: "1773029106sshd[4711] %" },
    { line: "[1773029106.25] sshd[4711]: %", time: TIME + 250_000, nearMiss: "[1773029106.25} sshd[4711] %" },
    {
      line: "1.77302910625e+09\tsshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "1.77302910625e+10\tsshd[4711] %",
    },
    { line: "1773029106250: sshd[4711]: %", time: TIME + 250_000, nearMiss: "17730291062: sshd[4711] %" },
    {
      line: 'time="2026-03-09T04:05:06Z" sshd[4711]: %',
      time: TIME,
      nearMiss: 'tome="2026-03-09T04:05:06Z" sshd[4711]: %',
    },
    {
      line: "ts=1773029106.25 sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "tx=1773029106.25 a sshd[4711]: %",
    },
  ],
  "OpenWrt": [
    {
      line: "Mon Mar  9 04:05:06 2026 auth.info sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar  9 2026 auth.info sshd[4711]: %",
    },
    {
      line: "Mon Mar  9 04:05:06 2026 [1773029106.250] authpriv.warn sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon Mar  9 [1773029106.250] authpriv.warn sshd[4711]: %",
    },
  ],
  "a host named twice, or by its address": [
    {
      line: "Mar  9 04:05:06 web web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 a web web sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 192.0.2.22 web.example.org sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 192.0.2.22 web.example.org and sshd[4711]: %",
    },
  ],
  "a host by an IPv6 address": [
    {
      line: "Mar  9 04:05:06 2001:db8::22 sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 2001:db8 sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06Z ::1 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z :: : web sshd[4711]: %",
    },
    { line: "2001:db8::22 sshd[4711]: %", time: null, nearMiss: "2001:db8::22x sshd[4711]: %" },
  ],
  "a host in brackets": [
    {
      line: "Mar  9 04:05:06 [192.0.2.22.4.6] sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 [192 0] sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 [2001:db8::22] sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 [2001:db8::22 ] sshd[4711]: %",
    },
  ],
  "the sender's address or a file's name before a line with its own head": [
    {
      line: "192.0.2.22 Mar  9 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "192.0.2.22 Mar 9th 04:05:06 web sshd[4711]: %",
    },
    {
      line: "2001:db8::22 2026-03-09T04:05:06Z web sshd[4711]: %",
      time: TIME,
      nearMiss: "2001:db8::22x 2026-03-09T04:05:06Z web sshd[4711]: %",
    },
    {
      line: "/var/log/auth:Mar  9 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "var log auth:Mar  9 04:05:06 web sshd[4711]: %",
    },
    {
      line: "auth.log.1:12:<38>1 2026-03-09T04:05:06Z web sshd 4711 - - %",
      time: TIME,
      nearMiss: "auth.text:12:<38>1 2026-03-09T04:05:06Z web sshd 4711 - - %",
    },
  ],
  "a relay that keeps the head of a line": [
    {
      line: "Mar  9 04:05:06 loghost Message forwarded from web: sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 loghost Message forwarded by web: sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 loghost Message forwarded from web: auth|security:info sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 loghost Messages forwarded from web: auth|security:info sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 192.0.2.22 Mar  9 03:00:00 web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 192.0.2.22 Mar 9th 03:00:00 web sshd[4711]: %",
    },
    {
      line: "2026 Mar 09 04:05:06 (web) 192.0.2.22->/var/log/auth.log Mar  9 03:00:00 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026 Mar 09 04:05:06 (web 192.0.2.22->/var/log/auth.log Mar  9 03:00:00 web sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06Z 2001:db8::22 <38>1 2026-03-09T03:00:00Z web sshd 4711 - - %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z 2001:db8::22 <38>1 2026-03-09 web sshd 4711 - - %",
    },
    {
      line: "2026-03-09T04:05:06Z box 2026-03-09T03:00:00+01:00 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z a box 2026-03-09T03:00:00+01:00 web sshd[4711]: %",
    },
  ],
  "socklog": [
    {
      line: "2026-03-09_04:05:06.25000 auth.info: Mar  9 03:00:00 sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09_04:05:06.25000 auth,info: Mar  9 03:00:00 sshd[4711]: %",
    },
    {
      line: "2026-03-09_04:05:06.25000 192.0.2.22: auth.info: Mar  9 03:00:00 sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09_04:05:06.25000 192.0.2.22: auth,info: Mar  9 03:00:00 sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web auth.info: Mar  9 03:00:00 sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web auth.info: March 9 03:00:00 sshd[4711]: %",
    },
  ],
  "facility and level": [
    {
      line: "Mar  9 04:05:06 web auth info sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web auth infos sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06Z web [info] sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z web [infos] sshd[4711]: %",
    },
    {
      line: "auth.info<38> Mar  9 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "auth.info<3800> Mar  9 04:05:06 web sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web auth.info sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 a web auth,info sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web authpriv.warning: sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web author.warning: a sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web auth.info sshd: %",
      time: TIME,
      pid: null,
      nearMiss: "Mar  9 04:05:06 auth.info web a sshd %",
    },
    {
      line: "Mar  9 04:05:06 web auth|security:info sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web auth|safety:info sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 <auth.info> web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 <auth info> web sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 <4.6> web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 <4:6> web sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 auth.info: %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "Mar  9 04:05:06 auth.into: %",
    },
    { line: "auth.info: %", time: null, program: "", pid: null, nearMiss: "auth.infos: %" },
    { line: "auth.info sshd[4711]: %", time: null, nearMiss: "auth.info by the sshd[4711]: %" },
  ],
  "programs written in other ways": [
    {
      line: "Mar  9 04:05:06 web [sshd]: %",
      time: TIME,
      pid: null,
      nearMiss: "Mar  9 04:05:06 web [sshd]%",
    },
    {
      line: "Mar  9 04:05:06 [sshd] %",
      time: TIME,
      pid: null,
      nearMiss: "2026-03-09 04:05:06 [sshd] %",
    },
    {
      line: "Mar  9 04:05:06 web [sshd] %",
      time: TIME,
      pid: null,
      nearMiss: "Mar  9 04:05:06 [error] %",
    },
    {
      line: "Mar  9 04:05:06 web [sshd][4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web [sshd[4711]]: %",
    },
    { line: "[sshd]: %", time: null, pid: null, nearMiss: "[error]: %" },
    {
      line: "Mar  9 04:05:06 web sshd(pam_unix)[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd(pam unix)[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[4711] <Notice>: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711] <a notice>: %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[4711](info): %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711](more info): %",
    },
    { line: "Mar  9 04:05:06 web sshd[4711] %", time: TIME, nearMiss: "Mar  9 04:05:06 web sshd[4711]%" },
    {
      line: "Mar  9 04:05:06 web sshd[4711.12]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711-12]: %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[]: %",
      time: TIME,
      pid: null,
      nearMiss: "Mar  9 04:05:06 web sshd[-]: %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[  4711 ]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[ 47 11 ]: %",
    },
    {
      line: "2026-03-09 04:05:06.250 E  sshd[4711:1a2b] (libpam.2.dylib) [com.openssh.sshd:default] %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.250 E  sshd[4711:1a2b] (libpam.so.2) [com.openssh.sshd:default] %",
    },
    {
      line: "2026-03-09 04:05:06.250000+0000  web sshd[4711]: (libpam.2.dylib) %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.250000+0000  web sshd[4711]: (pam.2.dylib) %",
    },
    {
      line: "2026-03-09 04:05:06.250000+0000  web sshd[4711]: [com.openssh.sshd:default] %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.250000+0000  web sshd[4711]: [openssh:default] %",
    },
    {
      line: "2026-03-09 04:05:06.250000+0000 0x1a2b     Info        0x0       4711   0    sshd: %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.250000+0000 0x1a2b     Info        0       4711   0    sshd: %",
    },
    {
      line: "2026-03-09 04:05:06.25+0000 0x1a2b Info 0x0 4711 0 sshd: (lib.dylib) [com.example:a] %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.25+0000 0x1a2b Info 0x0 4711 0 sshd: (lib.dylib) [com.example] %",
    },
    {
      line: "2026-03-09 04:05:06.250 Df sshd[4711:1a2b] %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09 04:05:06.250 Df sshd[4711:1a2g] %",
    },
  ],
  "a program by its known name alone": [
    {
      line: "Mar  9 04:05:06 web sshd(pam_unix) %",
      time: TIME,
      pid: null,
      isKnown: true,
      nearMiss: "Mar  9 04:05:06 web sshd(pam unix) %",
    },
    {
      line: "Mar  9 04:05:06 web sshd %",
      time: TIME,
      pid: null,
      isKnown: true,
      nearMiss: "Mar  9 04:05:06 web sshl %",
    },
    { line: "sshd: %", time: null, pid: null, isKnown: true, nearMiss: "sshl: %" },
  ],
  "a tag behind another": [
    {
      line: "Mar  9 04:05:06 web sshd[7]: sshd[4711]: %",
      time: TIME,
      isKnown: true,
      nearMiss: "Mar  9 04:05:06 web sshd[7]: sshl[4711]: %",
    },
    { line: "sshd[4711]: sshd: %", time: null, isKnown: true, nearMiss: "sshd[4711]: a sshd: %" },
    {
      line: "<38>1 2026-03-09T04:05:06Z web sshd - - [a b=" + '"c"' + "] sshd[4711]: %",
      time: TIME,
      isKnown: true,
      nearMiss: "<38>1 2026-03-09T04:05:06Z web sshd - - [a b=" + '"c"' + "] at sshd[4711]: %",
    },
  ],
  "decorations of Solaris and kernels": [
    {
      line:
        "Mar  9 04:05:06 <auth.info> web kernel: [  970.699396] @vserver_a sshd(pam_unix)[4711] [ID 7 test] %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web kernel: [  970.699396] @vserver_a sshd(pam_unix)[4711] [ID x test] %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[4711]: [ID 800047 auth.info] %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711]: [ID x auth.info] %",
    },
    {
      line: "Mar  9 04:05:06 web sshd[4711]: kernel: [12345.678901] %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711]: kernel: (12345.678901) %",
    },
    {
      line: "auth  :info  : [   12.345678] sshd[4711]: %",
      time: null,
      nearMiss: "auth  info  : [   12.345678] sshd[4711]: %",
    },
    {
      line: "daemon:info  : [12.3] sshd[4711]: %",
      time: null,
      nearMiss: "daemon:infos : [12.3] sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web kernel: [12.3] sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web kernel: 12.3 sshd[4711]: %",
    },
    { line: "kernel:[ 970.699396] sshd[4711]: %", time: null, nearMiss: "kernel: sshd[4711]: %" },
    {
      line: "web sshd[4711]: kernel:[  12.345678]: %",
      time: null,
      nearMiss: "web sshd[4711]: kernel:[  12.345678]; %",
    },
    {
      line: "Mar  9 04:05:06 web kernel: [12.3]: sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web kernel: [12.3]sshd[4711]: %",
    },
    {
      line: "Mar  9 04:05:06 web kernel: [12.3] %",
      time: TIME,
      program: "kernel",
      pid: null,
      nearMiss: "Mar  9 04:05:06 web kernel: [12,3] %",
    },
  ],
  "syslog with ISO 8601 times": [
    {
      line: "2026-03-09T04:05:06Z web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06X web sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06.123456+00:00 web sshd[4711]: %",
      time: TIME + 123_456,
      nearMiss: "2026-03-09T04:05:06.123456+0:00 web sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06.123456789Z web sshd[4711]: %",
      time: TIME + 123_456,
      nearMiss: "2026-03-09T04:05:06.1234567890Z web sshd[4711]: %",
    },
    {
      line: "2026-03-09T09:35:06+05:30 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T09:35+05:30 web sshd[4711]: %",
    },
    {
      line: "2026-03-08T20:05:06-0800 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-08T20:05:06-800 web sshd[4711]: %",
    },
    {
      line: "2026-03-09 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09 T04:05:06 web sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06,25Z web sshd: %",
      time: TIME + 250_000,
      pid: null,
      nearMiss: "2026-03-09T04:05:06,Z web sshd: %",
    },
  ],
  "RFC 5424": [
    {
      line: "<38>1 2026-03-09T04:05:06.000007Z web sshd 4711 - - %",
      time: TIME + 7,
      nearMiss: "<38>1 2026-03-09T04:05:06.000007Z web sshd 4711 - %",
    },
    {
      line: "<38>1 2026-03-09T04:05:06Z web.example.org sshd - - - %",
      time: TIME,
      pid: null,
      nearMiss: "<38>1 2026-03-09T04:05:06Z web.example.org sshd x - - %",
    },
    {
      line: '<86>1 2026-03-09T06:05:06+02:00 web sshd 4711 ID47 [origin ip="198.51.100.7"] %',
      time: TIME,
      nearMiss: '<86>1 2026-03-09T06:05:06+02:00 web sshd 4711 ID47 [origin ip="198.51.100.7" %',
    },
    {
      line: '<86>1 2026-03-09T04:05:06Z web sshd 4711 - [a x="1"][b y="\\"]" z=""] %',
      time: TIME,
      nearMiss: '<86>1 2026-03-09T04:05:06Z web sshd 4711 - [a x="1"] [b y="2"] %',
    },
    {
      line: "<38>1 2026-03-09T04:05:06Z web sshd 4711 - - \ufeff%",
      time: TIME,
      nearMiss: "<38>2 2026-03-09T04:05:06Z web sshd 4711 - - %",
    },
    {
      line: "1 2026-03-09T04:05:06Z web sshd 4711 - - %",
      time: TIME,
      nearMiss: "2 2026-03-09T04:05:06Z web sshd 4711 - - %",
    },
    {
      line: "2026-03-09T04:05:06Z web sshd 4711 - - %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z web: sshd 4711 - - %",
    },
    {
      line: "103 <38>1 2026-03-09T04:05:06Z web sshd 4711 - - %",
      time: TIME,
      nearMiss: "103: <38>1 2026-03-09T04:05:06Z web sshd 4711 - - %",
    },
    {
      line: "87 <38>Mar  9 04:05:06 web sshd[4711]: %",
      time: TIME,
      nearMiss: "87 38 Mar  9 04:05:06 web sshd[4711]: %",
    },
    { line: "83 <38>1 - web sshd 4711 - - %", time: null, nearMiss: "83 <38> - web sshd 4711 - - %" },
    { line: "<38>1 - web sshd 4711 - - %", time: null, nearMiss: "<38>1 -- web sshd 4711 - - %" },
    {
      line: "2026-03-09T04:05:06Z web - - - - %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06Z web - - - + %",
    },
  ],
  "`journalctl -o short…`": [
    {
      line: "Mon 2026-03-09 04:05:06 UTC web sshd[4711]: %",
      time: TIME,
      nearMiss: "Mon 2026-03-09 UTC web sshd[4711]: %",
    },
    {
      line: "2026-03-09T04:05:06+0000 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06+000 web sshd[4711]: %",
    },
    {
      line: "1773029106.250000 web sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "1773029106. web sshd[4711]: %",
    },
    { line: "[ 1234.567890] web sshd[4711]: %", time: null, nearMiss: "[ 1234.] web web sshd[4711]: %" },
    {
      line: "[    1.500000                ] web sshd[4711]: %",
      time: null,
      nearMiss: "[    1.500000               ] web sshd[4711]: %",
    },
    {
      line: "[    2.500000 <    1.000000 >] web sshd[4711]: %",
      time: null,
      nearMiss: "[    2.500000 <    1.000000  ] web sshd[4711]: %",
    },
    {
      line: "[    0.000001] web sshd[4711]: %",
      time: null,
      nearMiss: "[    0:000001] web web sshd[4711]: %",
    },
  ],
  "a message with its program alone": [
    { line: "sshd[4711]: %", time: null, nearMiss: "sshd[4711]a: %" },
    { line: "web sshd[4711]: %", time: null, nearMiss: "the web sshd[4711]: %" },
    { line: "<38>sshd[4711]: %", time: null, nearMiss: "<+38>sshd [4711]: %" },
  ],
  "a bare time": [
    {
      line: "2026-03-09T04:05:06.000001Z %",
      time: TIME + 1,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05Z %",
    },
    {
      line: "2026-03-09 04:05:06.000001234  %",
      time: TIME + 1,
      program: "",
      pid: null,
      nearMiss: "2026-03-09--04:05:06.000001234  %",
    },
    { line: "Mar  9 04:05:06 %", time: TIME, program: "", pid: null, nearMiss: "Mar  9 04:05 %" },
    {
      line: "2026-03-09_04:05:06.25000 %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09__04:05:06.25000 %",
    },
    {
      line: "@4000000069ae46fc0ee6b280 %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "@4000000069ae46fc0ee6b28 %",
    },
    {
      line: "4711 2026-03-09 04:05:06.250 %",
      time: TIME + 250_000,
      program: "",
      nearMiss: "x4711 2026-03-09 04:05:06.250 %",
    },
  ],
  "containers' runtimes": [
    {
      line: "[pod/web-0/ssh] %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "[pod/web-0] %",
    },
    {
      line: "[pod/web-0/ssh] 2026-03-09T04:05:06.25Z %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "[job/web-0/ssh] 2026-03-09T04:05:06.25Z %",
    },
    {
      line: "nginx.1     | %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "nginx 1     | %",
    },
    {
      line: "\x1b[0;33;1mnginx.1    | \x1b[0m%",
      time: null,
      program: "",
      pid: null,
      nearMiss: "\x1b[0;33;1mnginx    \x1b[0m%",
    },
    {
      line: "2026-03-09T04:05:06.25Z stdout F %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.25Z stdout X %",
    },
    {
      line: "2026-03-09T04:05:06.25Z stdout F:a:b %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.25Z stdout Fa:b %",
    },
    {
      line: "2026-03-09T04:05:06.25Z stderr P:a %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.25Z stderr P: a %",
    },
    {
      line: "2026-03-09T06:05:06.25+02:00 stderr P %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T06:05:06.25+02:00 stdin P %",
    },
    {
      line: "2026-03-09T04:05:06Z stdout F web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z stdout F and web sshd[4711] and: %",
    },
    {
      line: "2026-03-09T04:05:06Z stdout F Mar  9 03:00:00 web sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T04:05:06Z stdout F Mar  9 03 web sshd[4711]: %",
    },
    {
      line: '{"log":"%\\n","stream":"stdout","time":"2026-03-09T04:05:06.250000001Z"}',
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: '{"logs":"%\\n","stream":"stdout","time":"2026-03-09T04:05:06.250000001Z"}',
    },
    {
      line: '{"log":"%","stream":"stderr","attrs":{"tag":"a \\" b"},"time":"2026-03-09T04:05:06Z"}',
      time: TIME,
      program: "",
      pid: null,
      nearMiss: '{"log":"%","log":"%","stream":"stderr","time":"2026-03-09T04:05:06Z"}',
    },
    {
      line: '{"log":"Mar  9 03:00:00 web sshd[4711]: %","stream":"stdout","time":"2026-03-09T04:05:06Z"}',
      time: TIME,
      nearMiss: '{"log":"Mar  9 03:00:00 web sshd[4711]: %","msg":"%","time":"2026-03-09T04:05:06Z"}',
    },
    {
      line: "Mar  9 04:05:06 web sshd[99]: 2026-03-09T03:00:00Z box sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[99]: at 2026-03-09T03:00:00Z box sshd[4711]: %",
    },
    {
      line: "web sshd[4711]: 2026-03-09 04:05:06 %",
      time: TIME,
      nearMiss: "web sshd[4711]: on 2026-03-09 04:05:06 %",
    },
  ],
  "`docker compose logs` and others that name the container": [
    { line: "ssh-1  | %", time: null, program: "", pid: null, nearMiss: "ssh-1  || %" },
    {
      line: "a.ssh.1.x@b    | 2026-03-09T04:05:06Z %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "a ssh 1    | 2026-03-09T04:05:06Z %",
    },
    {
      line: "\x1b[36mssh_1  |\x1b[0m %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "\x1b[36merror  |\x1b[0m %",
    },
  ],
  "`stern` and `kubetail`": [
    {
      line: "ssh-6b7f9c8d5-x2k4q ssh %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "ssh-6b7f9c8d5-abcde ssh %",
    },
    {
      line: "prod ssh-6b7f9c8d5-x2k4q ssh 2026-03-09T04:05:06.250000000Z %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "on prod ssh-6b7f9c8d5-x2k4q ssh 2026-03-09T04:05:06.250000000Z %",
    },
    {
      line: "\x1b[36mssh-0\x1b[0m \x1b[36;1mssh\x1b[0m %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "\x1b[36mssh-0\x1b[0m ssh %",
    },
    {
      line: "\x1b[32mprod\x1b[0m \x1b[36mssh-0\x1b[0m \x1b[36;1mssh\x1b[0m 2026-03-09T04:05:06.25Z %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "\x1b[32mprod\x1b[0m \x1b[36mssh-0 ssh\x1b[0m 2026-03-09T04:05:06.25Z %",
    },
    { line: "[ssh-6b7f9c8d5-x2k4q] %", time: null, program: "", pid: null, nearMiss: "[ssh-0] %" },
    {
      line: "[ssh-6b7f9c8d5-x2k4q ssh] %",
      time: null,
      program: "",
      pid: null,
      nearMiss: "[ssh-6b7f9c8d5-x2k4q a ssh] %",
    },
  ],
  "`podman logs` of several containers": [
    {
      line: "0123456789ab 2026-03-09T04:05:06.25Z %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "0123456789abc 2026-03-09T04:05:06.25Z %",
    },
  ],
  "process managers": [
    { line: "0|ssh  | %", time: null, program: "", pid: null, nearMiss: "0||ssh  | %" },
    { line: "04:05:06 ssh.1   | %", time: null, program: "", pid: null, nearMiss: "04:05 ssh.1   | %" },
    {
      line: "\x1b[36m04:05:06 ssh.1   | \x1b[0m%",
      time: null,
      program: "",
      pid: null,
      nearMiss: "\x1b[36m04:05:06 error   | \x1b[0m%",
    },
  ],
  "dropbear on standard error": [
    {
      line: "[4711] Mar  9 04:05:06 %",
      time: TIME,
      program: "",
      nearMiss: "[47x] Mar  9 04:05:06 %",
    },
    {
      line: "2026-03-09T04:05:06Z stderr F [4711] Mar  9 03:00:00 %",
      time: TIME,
      program: "",
      nearMiss: "2026-03-09T04:05:06Z stderr F [4711] Mär  9 03:00:00 a %",
    },
  ],
  "colours": [
    {
      line: "\x1b[32m[Mon Mar  9 04:05:06 2026] \x1b[0m\x1b[33msshd[4711]: \x1b[0m%",
      time: TIME,
      nearMiss: "\x1b[32[Mon Mar  9 04:05:06 2026] \x1b[0m\x1b[33msshd[4711]: \x1b[0m%",
    },
    {
      line: "Mar  9 04:05:06 web sshd[4711]: \x1b[0;1;31m\x1b[0;1;39m\x1b[0;1;31m%\x1b[0m",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 web sshd[4711]: \x1b[0;1;31x%\x1b[0m",
    },
  ],
  "`docker service logs --timestamps`": [
    {
      line: "2026-03-09T04:05:06.250000000Z web_ssh.1.0123456789ab@node-1    | %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.250000000Z web_ssh.1.0123456789ab node-1    | %",
    },
  ],
  "Fly": [
    {
      line: "2026-03-09T04:05:06Z app[4d891d7df12345] lhr [info]%",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06Z app[web] lhr [info]%",
    },
  ],
  "Heroku": [
    {
      line: "2026-03-09T04:05:06.250000+00:00 app[web.1]: %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.250000+00:00 app[web]: %",
    },
    {
      line: "<158>1 2026-03-09T04:05:06.250000+00:00 host app web.1 - %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "<158>1 2026-03-09T04:05:06.250000+00:00 host apt web.1 - %",
    },
  ],
  "Loki": [
    {
      line: '2026-03-09T04:05:06Z {job="ssh", file="/var/log/a"} Mar  9 03:00:00 web sshd[4711]: %',
      time: TIME,
      nearMiss: '2026-03-09T04:05:06Z {job="a b} Mar  9 03:00:00 web sshd[4711]: %',
    },
    {
      line: "2026-03-09T04:05:06Z {} %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06Z {job} %",
    },
    {
      line: '2026-03-09T04:05:06.25+0000\t{job="a \\" b"}\tsshd[4711]: %',
      time: TIME + 250_000,
      nearMiss: '2026-03-09T04:05:06.25+0000\t{job="a " b"}\tsshd[4711]: %',
    },
  ],
  "units and paths in place of programs": [
    {
      line: "Mon 2026-03-09 04:05:06 UTC web sshd.service[4711]: %",
      time: TIME,
      program: "sshd.service",
      nearMiss: "Mon 2026-03-09 04:05:06 UTC web sshd.service [4711]: %",
    },
    {
      line: "Mon 2026-03-09 04:05:06 UTC web system.slice/sshd.service[4711]: %",
      time: TIME,
      program: "system.slice/sshd.service",
      nearMiss: "Mon 2026-03-09 04:05:06 UTC web system.slice sshd .service[4711]: %",
    },
    {
      line: "<30>Mar  9 04:05:06 web docker/sshd[4711]: %",
      time: TIME,
      program: "docker/sshd",
      nearMiss: "<30>Mar  9 04:05:06 web docker/ sshd [4711]: %",
    },
  ],
  "JSON of collectors": [
    {
      line:
        '{"SYSLOG_IDENTIFIER":"sshd","_PID":"4711","MESSAGE":"%","__REALTIME_TIMESTAMP":"1773029106250000"}',
      time: TIME + 250_000,
      nearMiss: '{"SYSLOG_IDENTIFIER":"sshd","_PID":"4711","MESAGE":"%"}',
    },
    {
      line:
        '{"PROGRAM":"sshd","PID":"4711","MESSAGE":"%","ISODATE":"2026-03-09T05:05:06+01:00","DATE":"Mar  9 05:05:06"}',
      time: TIME,
      isObject: true,
      nearMiss: '{"PROGRAM":"sshd","PID":"4711","MESSAGE":"%","MESSAGE":"%"}',
    },
    {
      line:
        '{ "msg": " %", "timereported": "2026-03-09T04:05:06Z", "syslogtag": "sshd[4711]:", "procid": "4711" }',
      time: TIME,
      nearMiss: '{ "msg": " %", "timereported": "2026-03-09T04:05:06Z", "syslogtag": "sshl[4711]:" }',
    },
    {
      line: '{"date":1773029106.25,"log":"sshd[4711]: %","kubernetes":{"pod_name":"ssh"}}',
      time: TIME + 250_000,
      nearMiss: '{"date":1773029106.25,"kubernetes":{"log":"sshd[4711]: %"}}',
    },
    {
      line:
        '{"@timestamp":"2026-03-09T04:05:06Z","process":{"name":"sshd","pid":4711},"message":"%","log":{"offset":1}}',
      time: TIME,
      isObject: true,
      nearMiss: '{"@timestamp":"2026-03-09T04:05:06Z","process":{"name":"sshd","pid":4711},"message":"%"',
    },
    {
      line:
        '{"timestamp":1773029106250,"message":"Mar  9 03:00:00 web sshd[4711]: %","ingestionTime":1773029107000}',
      time: TIME + 250_000,
      nearMiss: '{"timestamp":1773029106250,"message":"Mar  9 web a sshd[4711]: %"}',
    },
    {
      line: '{"labels":{"job":"a"},"line":"%","timestamp":"2026-03-09T04:05:06.25Z"}',
      time: TIME + 250_000,
      program: "",
      pid: null,
      isObject: true,
      nearMiss: '{"labels":{"line":"%"},"timestamp":"2026-03-09T04:05:06.25Z"}',
    },
    {
      line:
        '{"insertId":"a","textPayload":"Mar  9 03:00:00 web sshd[4711]: %","timestamp":"2026-03-09T04:05:06Z"}',
      time: TIME,
      nearMiss: '{"insertId":"a","textPayload":"%","message":"x","timestamp":"2026-03-09T04:05:06Z"}',
    },
    {
      line:
        '{"jsonPayload":{"MESSAGE":"%","SYSLOG_IDENTIFIER":"sshd","_PID":"4711"},"timestamp":"2026-03-09T04:05:06Z"}',
      time: TIME,
      nearMiss:
        '{"jsonPayload":{"MESSAGES":"%","SYSLOG_IDENTIFIER":"sshd"},"timestamp":"2026-03-09T04:05:06Z"}',
    },
    {
      line:
        '{"TimeGenerated":"2026-03-09T04:05:06Z","ProcessName":"sshd","ProcessID":4711,"SyslogMessage":"%"}',
      time: TIME,
      nearMiss: '{"TimeGenerated":"2026-03-09T04:05:06Z","ProcessName":"sshl","SyslogMessage":"%"}',
    },
    {
      line:
        '{"eventMessage":"%","processID":4711,"processImagePath":"sshd","timestamp":"2026-03-09 04:05:06.25+0000"}',
      time: TIME + 250_000,
      nearMiss: '{"eventMessage":"%","eventMessage":"%","timestamp":"2026-03-09 04:05:06.25+0000"}',
    },
    {
      line: '{"short_message":"%","timestamp":1773029106.25,"_application_name":"sshd","_process_id":"4711"}',
      time: TIME + 250_000,
      isObject: true,
      nearMiss: '{"full_message":"%","timestamp":1773029106.25,"_application_name":"sshd"}',
    },
    {
      line: '{"time":1773029106.25,"sourcetype":"linux_secure","event":"sshd[4711]: %"}',
      time: TIME + 250_000,
      nearMiss: '{"time":1773029106.25,"type":"linux_secure","event":"sshd[4711]: %"}',
    },
    {
      line: '{"result":{"_raw":"sshd[4711]: %","_time":"2026-03-09T04:05:06Z"}}',
      time: TIME,
      nearMiss: '{"result":[{"_raw":"sshd[4711]: %"}],"_time":"2026-03-09T04:05:06Z"}',
    },
    {
      line: '{"timestamp":"2026-03-09T04:05:06.25+0000","full_log":"Mar  9 03:00:00 web sshd[4711]: %"}',
      time: TIME + 250_000,
      nearMiss: '{"timestamp":"2026-03-09T04:05:06.25+0000","full_log":["sshd[4711]: %"]}',
    },
    {
      line: '{"body":"sshd[4711]: %","timeUnixNano":"1773029106250000000"}',
      time: TIME + 250_000,
      isObject: true,
      nearMiss: '{"body":"sshd[4711]: %","time":"1773029106250000000"}',
    },
    {
      line: '{"EventTime":"2026-03-09T04:05:06Z","SourceName":"OpenSSH","Message":"sshd[4711]: %"}',
      time: TIME,
      isObject: true,
      nearMiss: '{"EventTime":"2026-03-09T04:05:06Z","Message":"sshd[4711]: %"}',
    },
    {
      line: '{"message":"sshd[4711]: %","source_type":"file","line":12,"timestamp":"2026-03-09T04:05:06Z"}',
      time: TIME,
      nearMiss: '{"message":"sshd[4711]: %","source_type":"file","line":"12a"}',
    },
    {
      line: '{"time":"2026-03-09T04:05:06Z","stream":"stdout","log":"%\\n"}',
      time: TIME,
      program: "",
      pid: null,
      nearMiss: '["time","2026-03-09T04:05:06Z","log","%\\n"]',
    },
  ],
  "collectors' text around JSON": [
    {
      line: 'Mar  9 04:05:06 web sshd[4711]: @cee: {"msg":"%","host":"web"}',
      time: TIME,
      isObject: true,
      nearMiss: 'Mar  9 04:05:06 web sshd[4711]: @cee: {"msg":"%","message":"a"}',
    },
    {
      line:
        '2026-03-09T04:05:06+00:00\tsyslog.auth.info\t{"host":"web","ident":"sshd","pid":"4711","message":"%"}',
      time: TIME,
      isObject: true,
      nearMiss: '2026-03-09T04:05:06+00:00\tinfo\t{"host":"web","ident":"sshd","pid":"4711","message":"%"}',
    },
    {
      line: '2026-03-09T04:05:06+00:00\tauth\t{"message":"Mar  9 03:00:00 web sshd[4711]: %"}',
      time: TIME,
      isObject: true,
      nearMiss: '2026-03-09T04:05:06+00:00 auth {"message":"Mar  9 03:00:00 web sshd[4711]: %"}',
    },
    {
      line: '2026-03-09T04:05:06+00:00\tdocker.a\t{"log":"%","stream":"stdout"}',
      time: TIME,
      program: "",
      pid: null,
      nearMiss: '2026-03-09T04:05:06+00:00\tdocker.a\t{"log":"%","stream":"stdout"',
    },
    {
      line:
        '2026-03-09 04:05:06.250000000 +0000 syslog.auth.info: {"ident":"sshd","pid":"4711","message":"%"}',
      time: TIME + 250_000,
      isObject: true,
      nearMiss: '2026-03-09 04:05:06.250000000 +0000 syslog.auth.info: {"pid":"4711","message":"%"}',
    },
    {
      line: 'tail.0: [1773029106.250000, {"log":"sshd[4711]: %"}]',
      time: TIME + 250_000,
      isObject: true,
      nearMiss: 'tail.0: [1773029106, {"log":"sshd[4711]: %"}]',
    },
    {
      line: '[0] tail.0: [1773029106.250000, {"log"=>"sshd[4711]: %"}]',
      time: TIME + 250_000,
      isPrinted: true,
      nearMiss: '[0] tail.0: [1773029106.250000, {"log"=>"sshd[4711]: %", "stream"=>"stdout"}]',
    },
    {
      line: '[7] a.b: [[1773029106.250000000, {}], {"message"=>"Mar  9 03:00:00 web sshd[4711]: %"}]',
      time: TIME + 250_000,
      isPrinted: true,
      nearMiss: '[7] a.b: [[1773029106.250000000, {}], {"msg":1, "message"=>"sshd[4711]: %"}]',
    },
    {
      line:
        '\x1e{"SYSLOG_IDENTIFIER":"sshd","_PID":"4711","MESSAGE":"%","__REALTIME_TIMESTAMP":"1773029106250000"}',
      time: TIME + 250_000,
      nearMiss: '\x1f{"SYSLOG_IDENTIFIER":"sshd","_PID":"4711","MESSAGE":"%"}',
    },
    {
      line:
        'data: {"SYSLOG_IDENTIFIER":"sshd","_PID":"4711","MESSAGE":"%","__REALTIME_TIMESTAMP":"1773029106250000"}',
      time: TIME + 250_000,
      nearMiss: 'data: {"_PID":"4711","MESSAGE":"%","__REALTIME_TIMESTAMP":"1773029106250000"}',
    },
  ],
  "CloudWatch's exports": [
    {
      line: '1773029106250,"Mar  9 03:00:00 web sshd[4711]: %"',
      time: TIME + 250_000,
      isQuoted: true,
      nearMiss: '177302910625,"Mar  9 03:00:00 web sshd[4711]: %"',
    },
    {
      line: '2026-03-09 04:05:06.250,"web sshd[4711]: %"',
      time: TIME + 250_000,
      isQuoted: true,
      nearMiss: '2026-03-09 04:05:06.250,"web "sshd"[4711]: %"',
    },
  ],
  "`aws logs tail`": [
    {
      line: "2026-03-09T04:05:06.250000+00:00 ssh/sshd/0a1b2c3d %",
      time: TIME + 250_000,
      program: "",
      pid: null,
      nearMiss: "2026-03-09T04:05:06.250000+00:00 /ssh/sshd/0a1b2c3d %",
    },
    {
      line: "2026-03-09T04:05:06.250000+00:00 2026/03/09/[$LATEST]0a1b Mar  9 03:00:00 web sshd[4711]: %",
      time: TIME + 250_000,
      nearMiss: "2026-03-09T04:05:06.250000+00:00 a 2026/03/09 Mar  9 03:00:00 web sshd[4711]: %",
    },
  ],
  "stern's short times": [
    {
      line: "ssh-6b7f9c8d5-x2k4q ssh 03-09 04:05:06 %",
      time: TIME,
      program: "",
      pid: null,
      nearMiss: "ssh-6b7f9c8d5-x2k4q ssh 03-9 04:05:06 %",
    },
  ],
  "UniFi": [
    {
      line: "Mar  9 04:05:06 U7PG2,788a20aabbcc,v4.0.66: sshd[4711]: %",
      time: TIME,
      nearMiss: "Mar  9 04:05:06 U7PG2,788a20aabbc,v4.0.66: sshd[4711]: %",
    },
    {
      line: "<38>Mar  9 04:05:06 U6-LR 788a20aabbcc,U6-LR-6.0.21+13673: sshd[4711]: %",
      time: TIME,
      nearMiss: "<38>Mar  9 04:05:06 U6-LR a 788a20aabbcc,U6-LR-6.0.21+13673: sshd[4711]: %",
    },
    {
      line: 'Mar  9 04:05:06 ("U7LT,18e829aabbcc,v4.0.9.9636") sshd[4711]: %',
      time: TIME,
      nearMiss: 'Mar  9 04:05:06 ("U7LT, 18e829aabbcc, v4.0.9.9636") sshd[4711]: %',
    },
  ],
  "firewalls and stores of other makers": [
    {
      line: '<38>1 2026-03-09T04:05:06+00:00 OPNsense.internal sshd 4711 - [meta sequenceId="12"] %',
      time: TIME,
      nearMiss: "<38>1 2026-03-09T04:05:06+00:00 OPNsense.internal sshd 4711 - [meta sequenceId=12] %",
    },
    {
      line: "<38>Mar  9 04:05:06 sshd[4711]: %",
      time: TIME,
      nearMiss: "<38>Mar  9 04:05:06 by sshd at[4711]: %",
    },
    {
      line: "2026-03-09T05:05:06+01:00 DiskStation sshd[4711]: %",
      time: TIME,
      nearMiss: "2026-03-09T05:05:06+01:00 the Disk Station sshd[4711]: %",
    },
  ],
  "dates of the United States": [
    {
      line: "03/09/2026 04:05:06 AM sshd[4711]: %",
      time: TIME,
      nearMiss: "03/09/2026 04:05:06 sshd[4711]: %",
    },
    {
      line: "3/8/2026, 11:05:06\u202fPM EST web sshd[4711]: %",
      time: TIME,
      nearMiss: "3/8/26, 11:05:06 PM EST web sshd[4711]: %",
    },
  ],
  "exports of Windows' event log": [
    {
      line: 'Information,3/9/2026 4:05:06 AM,sshd,4,None,"%"',
      time: TIME,
      pid: null,
      isQuoted: true,
      nearMiss: 'Information,3/9/2026 4:05:06 AM,sshd,None,"%"',
    },
    {
      line: 'Informationen\t09.03.2026 04:05:06\tsshd\t4\tKeine\t"%"',
      time: TIME,
      pid: null,
      isQuoted: true,
      nearMiss: 'Informationen\t09.03.2026 04:05:06\tsshd\tKeine\t"%"',
    },
    {
      line: '"3/9/2026 4:05:06 AM","4","Information","sshd[4711]: %"',
      time: TIME,
      isQuoted: true,
      nearMiss: '"3/9/2026 4:05:06 AM","sshd[4711]: %"',
    },
    {
      line: "3/9/2026 4:05:06 AM              4 Information      sshd[4711]: %",
      time: TIME,
      nearMiss: "3/9/2026 4:05:06 AM              4 Informed         a sshd[4711]: %",
    },
  ],
  "repeated messages": [
    {
      line: "Mar  9 04:05:06 web sshd[4711]: message repeated 5 times: [ %]",
      time: TIME,
      count: 5,
      nearMiss: "Mar  9 04:05:06 web sshd[4711]: message repeated 0 times: [ %]",
    },
    {
      line: "message repeated 12 times: [%]",
      time: null,
      program: "",
      pid: null,
      count: 12,
      nearMiss: "message repeated 12 times: [%",
    },
  ],
};
