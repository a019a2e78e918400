/** Modules that a record may belong to, by the program and unit that wrote it. */
import { LEFT_BRACE } from "../core/ascii.ts";
import type { Sender } from "../core/records.ts";
import type { Module } from "./module.ts";
import type { MessageReader } from "./message_reader.ts";
import { isTrusted } from "./trust.ts";

/** A module as a reader of records needs it. */
export interface ReadableModule
  extends Pick<Module, "identifiers" | "units" | "programs" | "aliases" | "zone"> {
  /** Index among the configured modules. */
  readonly index: number;
  readonly reader: MessageReader;
  /** Reports whether a message may begin with `text`. Default: it may. */
  readonly mayBegin?: (text: string) => boolean;
}

/** A module that a record may belong to. */
export interface Candidate {
  readonly module: ReadableModule;
  /** Whether only root or the service can have written the record. */
  readonly isTrusted: boolean;
  /** 1 for each byte that the module's messages may begin with. */
  readonly firstBytes: Uint8Array;
  /** Whether a stranger's text may begin the module's messages. */
  readonly isOpen: boolean;
}

/** A program that a line names, and the modules that its lines may belong to. */
export interface Program {
  readonly identifier: string;
  readonly candidates: readonly Candidate[];
  /** Whether every candidate takes lines of any program, but knows its own, and this is none. */
  readonly isForeign: boolean;
}

/** Modules of one source, as candidates. */
export class Candidates {
  /**
   * All modules, for lines of text. Nothing proves who wrote a line, so everybody who may write the
   * file is trusted.
   */
  readonly all: readonly Candidate[];
  /** Whether a stranger's text may begin the messages of some module. */
  readonly hasOpen: boolean;
  /** Modules that accept lines of any program. */
  readonly ofAnyProgram: readonly ReadableModule[];
  readonly #byIdentifier: ReadonlyMap<string, readonly ReadableModule[]>;
  readonly #byAlias: ReadonlyMap<string, readonly ReadableModule[]>;

  constructor(modules: readonly ReadableModule[]) {
    this.all = modules.map(trusted);
    this.hasOpen = this.all.some(({ isOpen }) => isOpen);
    this.ofAnyProgram = modules.filter(({ identifiers }) => identifiers.length === 0);
    this.#byIdentifier = byName(modules, ({ identifiers }) => identifiers);
    this.#byAlias = byName(modules, ({ aliases = [] }) => aliases);
  }

  /** Reports whether a message of some module may begin with `text`. */
  mayBegin(text: string): boolean {
    return text === "" ||
      this.all.some(({ module: { mayBegin }, isOpen }) => isOpen || (mayBegin?.(text) ?? true));
  }

  /** Returns the modules that list a program as their own; undefined: none does. */
  named(identifier: string): readonly ReadableModule[] | undefined {
    return this.#byIdentifier.get(identifier);
  }

  /** Returns candidates for lines of the program `identifier`; "" if the line names none. */
  of(identifier: string): readonly Candidate[] {
    if (identifier === "") return this.all;
    return (this.#owners(identifier) ?? this.ofAnyProgram).map(trusted);
  }

  /** Returns the program that writes as `identifier`. */
  program(identifier: string): Program {
    const name = bareName(identifier);
    const names = [identifier, name, name.replace(UNIT, "")];
    const isOwn = this.#owners(identifier) !== undefined ||
      names.some((own) => own === "" || this.isProgram(own));
    const isForeign = !isOwn &&
      this.ofAnyProgram.every(({ identifiers, programs = identifiers }) => programs.length > 0);
    return { identifier, candidates: this.of(identifier), isForeign };
  }

  /** Returns the modules that list a program, or its unit, as their own; undefined: none does. */
  #owners(identifier: string): readonly ReadableModule[] | undefined {
    const name = bareName(identifier);
    return this.named(identifier) ?? this.named(name.replace(UNIT, "")) ?? this.#byAlias.get(name);
  }

  /** Reports whether some module's service writes as `identifier`. */
  isProgram(identifier: string): boolean {
    return this.all.some(({ module: { identifiers, programs = identifiers } }) =>
      identifiers.includes(identifier) || programs.includes(identifier)
    );
  }
}

/** Returns the modules that have each of their names. */
function byName(
  modules: readonly ReadableModule[],
  namesOf: (module: ReadableModule) => readonly string[],
): ReadonlyMap<string, readonly ReadableModule[]> {
  const names = new Set(modules.flatMap(namesOf));
  return new Map([...names].map((name) => [name, modules.filter((one) => namesOf(one).includes(name))]));
}

/**
 * Parts that a name may have around it: a path, `docker` before a container's tag, inetd's `in.`,
 * slices, an instance of a unit, as in `sshd@0-192.0.2.1:22`. Not slices of users, who name their
 * units as they like.
 */
const AROUND_NAME =
  /^(?:\/|docker\/)(?:.*\/)?|^(?:(?!user[-.])[\w-]+\.slice\/)+|^in\.|@.*?(?=(?:\.service)?$)/g;
const UNIT = /\.service$/;

/** Returns a program's or unit's name alone; a unit's name keeps its ending. */
function bareName(identifier: string): string {
  return identifier.replace(AROUND_NAME, "");
}

/** Returns the candidates whose service writes as `identifier`. */
export function writersOf(candidates: readonly Candidate[], identifier: string): readonly Candidate[] {
  const isWriter = ({ module: { identifiers, programs = identifiers } }: Candidate) =>
    identifier === "" || programs.length === 0 || programs.includes(identifier);
  return candidates.every(isWriter) ? candidates : candidates.filter(isWriter);
}

/** Makes candidates of modules for an entry of the journal by `sender`. */
export function sentBy(modules: readonly ReadableModule[], sender: Sender): readonly Candidate[] {
  return modules.map((module) => candidate(module, isTrusted(sender, module.units)));
}

/** Reports whether no message of the candidate's service is an object of JSON. */
export function isTextual({ firstBytes }: Candidate): boolean {
  return firstBytes[LEFT_BRACE] === 0;
}

/** Any byte may begin a message. */
const ANY = new Uint8Array(256).fill(1);

/**
 * Makes a candidate of a module; `isTrusted` tells whether only root or the service can have
 * written its records.
 */
export function candidate(module: ReadableModule, isTrusted: boolean): Candidate {
  const { firstBytes = ANY, isOpen = false } = module.reader;
  return { module, isTrusted, firstBytes, isOpen };
}

function trusted(module: ReadableModule): Candidate {
  return candidate(module, true);
}
