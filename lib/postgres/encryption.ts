/** How a connection is encrypted. Separate from the driver, which takes long to load. */
import { messageOf, UserError } from "../core/error.ts";
import { type DatabaseConfig, socketOf, SSL_MODES, type SslMode } from "./database_config.ts";

/** How a connection is encrypted, and which authorities it trusts. */
export interface Encryption {
  readonly mode: SslMode;
  /** Certificates of authorities in PEM; null: those that Deno trusts. */
  readonly authorities: string | null;
}

/** First Deno whose node:tls can encrypt an open connection; `Deno.startTls` always can. */
const NODE_TLS_SINCE = [2, 9] as const;

/**
 * Returns how to encrypt: by the configuration, else by PGSSLMODE and PGSSLROOTCERT, else not at
 * all. A Unix socket is never encrypted. Throws `UserError` (69) if it cannot.
 */
export function encryptionOf(config: DatabaseConfig): Encryption {
  const mode = config.sslmode ?? fromEnvironment();
  if (mode === "disable" || socketOf(config) !== null) return { mode: "disable", authorities: null };
  if (mode !== "verify-full" && !hasNodeTls(Deno.version.deno)) {
    throw new UserError(
      `Cannot encrypt by sslmode ${mode}: that takes a program built by Deno ${
        NODE_TLS_SINCE.join(".")
      } or newer, ` +
        `and this one was built by ${Deno.version.deno}; sslmode verify-full works with any`,
      69,
    );
  }
  if (mode !== "verify-ca" && mode !== "verify-full") return { mode, authorities: null };
  const file = config.sslrootcert ?? Deno.env.get("PGSSLROOTCERT");
  return { mode, authorities: file === undefined ? null : readAuthorities(file) };
}

/** Reports whether node:tls of this Deno version can encrypt an open connection. */
export function hasNodeTls(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NODE_TLS_SINCE[0] || (major === NODE_TLS_SINCE[0] && minor >= NODE_TLS_SINCE[1]);
}

function fromEnvironment(): SslMode {
  const word = Deno.env.get("PGSSLMODE") ?? "disable";
  const mode = SSL_MODES.find((mode) => mode === word);
  if (mode !== undefined) return mode;
  throw new UserError(
    `Cannot encrypt by the variable PGSSLMODE: it must be one of ${SSL_MODES.join(", ")}`,
    69,
  );
}

function readAuthorities(file: string): string {
  const text = readOrExplain(file);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new UserError(`Cannot use sslrootcert: ${file} holds no certificate in PEM`, 69);
}

function readOrExplain(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    throw new UserError(`Cannot read sslrootcert: ${reasonOf(error, file)}`, 69);
  }
}

function reasonOf(error: unknown, file: string): string {
  if (error instanceof Deno.errors.NotFound) return `${file} does not exist`;
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user may not read ${file}; a certificate is no secret: chmod 644 ${file}`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    return `this program may not read ${file}; the program for everybody reads /etc/strongmonitor`;
  }
  return `${file}: ${messageOf(error)}`;
}

/** Problems of certificates, by the words of Deno.startTls (rustls) and of node:tls. */
const REFUSALS: readonly [words: RegExp, sentence: string][] = [
  [
    /not valid for name|NotValidForName|altnames/,
    "its certificate is not for that name: write the name that stands in it as subjectAltName, or use sslmode verify-ca",
  ],
  [
    /UnknownIssuer|BadSignature|signature failure|UNABLE_TO_|unable to (?:verify|get)|self[- ]signed/i,
    "no authority of sslrootcert has signed its certificate: name the authority's own certificate there",
  ],
  [/CaUsedAsEndEntity/, "its certificate is an authority's own: have the authority sign one for the server"],
  [/certificate expired|Expired|has expired/, "its certificate has expired"],
  [/NotValidYet|not valid yet|not yet valid/, "its certificate is not valid yet: does a clock run wrong?"],
  [/UnsupportedCertVersion|BadEncoding/, "its certificate is not of X.509 version 3: have it made anew"],
];

/** Explains the refusal of a certificate; null: the error is about something else. */
export function explainCertificate(error: unknown): string | null {
  const text = error instanceof Error ? `${"code" in error ? error.code : ""} ${error.message}` : "";
  if (!/certificate|CERT|TLS/.test(text)) return null;
  return REFUSALS.find(([words]) => words.test(text))?.[1] ?? null;
}
