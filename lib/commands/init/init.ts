import { modules } from "../../../modules/mod.ts";
import { configOf } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { isDenial } from "../../core/denial.ts";
import { firstLineOf, tried, UserError } from "../../core/error.ts";
import { counted, shellWord } from "../../core/text.ts";
import { lookHere } from "../check/check.ts";
import { wrapCommand } from "../common/layout.ts";
import { asRoot, INSTALL_UNIT, serviceUser } from "../common/machine.ts";
import {
  columnsOf,
  type CommonOptions,
  NGINX_CONF,
  printData,
  printError,
  printErrorData,
  printJson,
} from "../common/output.ts";
import { type Answers, draftConfig, NO_SSH_LOG } from "./draft.ts";
import { agrees, askUser, proposed } from "./questions.ts";
import { isEdited, runStep, shellCommand, type Step, stepsFor, targetAt } from "./steps.ts";
import { NGINX_LOGS, type Survey, surveyMachine } from "./survey.ts";

/** Without systemd, nobody runs the unit of a package. */
const NO_SYSTEMD = "There is no journal: docs/installing.md tells how to start the monitor without systemd";

/** Options of `init`. */
export interface InitOptions extends CommonOptions {
  /** Ask nothing. */
  readonly yes?: boolean;
  /** Run root's commands with sudo. */
  readonly install?: boolean;
  /** Replace an existing configuration. */
  readonly force?: boolean;
  readonly nginxConf: string;
}

/**
 * `init`: examines this machine, asks questions, and prints a configuration with the commands for
 * root. Runs these only with `install`. Throws `UserError` (64) if it can ask nobody.
 */
export async function initCommand(given: InitOptions): Promise<number> {
  if (given.config === "-") throw new UserError("Cannot write standard input: name a file by --config", 64);
  const isAbsolute = given.config.startsWith("/");
  const options = isAbsolute ? given : { ...given, config: `${Deno.cwd()}/${given.config}` };
  const isAsking = !options.yes && !options.json;
  if (isAsking && !Deno.stdin.isTerminal()) {
    throw new UserError("Cannot ask: standard input is no terminal; --yes takes what is proposed", 64);
  }
  const survey = await surveyMachine(options);
  const isRefused = !options.force && targetAt(options.config) === "edited";
  if (!options.json) describe(survey).forEach(printError);
  // The user learns before the questions that the answers replace nothing.
  if (!options.json && isRefused) printError(`config    ${options.config} is there already, and stays`);
  const answers = isAsking ? askUser(survey) : proposed(survey);
  const { text, config } = checkedDraft(survey, { answers, path: options.config });
  const problems = await problemsOf(survey, { config, options });
  const steps = stepsFor(text, { path: options.config, user: await serviceUser(), unit: survey.unit });
  const source = isAsking ? null : sourceOf(options);
  const commands = isRefused ? [] : steps.map((step) => shellCommand(step, source));
  if (options.json) printJson(surveyJson(survey, { text, problems, commands }));
  // On a terminal, the command that takes the text already shows it.
  else if (!isAsking || isRefused || !Deno.stdout.isTerminal()) printData(text.trimEnd().split("\n"));
  if (!options.json) problems.forEach((sentence) => printError(`Still missing: ${sentence}`));
  if (isRefused) return refuse(options);
  if (!options.json) printErrorData(["", "What root has to do:", ...commands.flatMap(indented)]);
  const isTold = options.install || (isAsking && agrees("Do this now, by sudo?", false));
  return isTold ? await install(steps, options) : 0;
}

/** Says that an edited configuration stays. Throws `UserError` (1) if it was to be replaced. */
function refuse({ config, install }: InitOptions): number {
  if (install) throw existing(config);
  printError(`Root has nothing to do: ${config} stays. With --force, root replaces it and keeps a copy.`);
  return 0;
}

/** Makes a configuration that loads; leaves out log formats that do not. */
function checkedDraft(
  survey: Survey,
  options: { answers: Answers; path: string },
): { readonly text: string; readonly config: Config } {
  const { answers, path } = options;
  const draft = (survey: Survey) => {
    const text = draftConfig(survey, answers);
    return { text, config: configOf(text, path, { known: modules }) };
  };
  try {
    return draft(survey);
  } catch (error) {
    const { nginx } = survey;
    if (nginx === null || nginx.formats.length === 0) throw error;
    const unread = `its log_format cannot be taken, ${firstLineOf(error)}`;
    const having = (formats: readonly string[]) => ({ ...survey, nginx: { ...nginx, formats, unread } });
    const isGood = (format: string) => tried(() => draft(having([format]))) !== null;
    const good = nginx.formats.length > 1 ? nginx.formats.filter(isGood) : [];
    return checkedDraft(having(good.length < nginx.formats.length ? good : []), options);
  }
}

/**
 * Returns the problems that `check` will report here, a missing log of sshd, and a missing unit.
 * Leaves out files that only this user may not read.
 */
async function problemsOf(
  { hasJournal, sshLog, unit }: Survey,
  { config, options }: { config: Config; options: InitOptions },
): Promise<string[]> {
  const { refusal, problems: found } = await lookHere(config, options);
  const problems = found.filter((sentence) => !isOnlyHere(sentence));
  const unwatched = hasJournal || sshLog !== null ? [] : [NO_SSH_LOG];
  const unsupervised = hasJournal || unit === null ? [] : [NO_SYSTEMD];
  const unstarted = unit === null ? [`No unit starts the monitor; ${INSTALL_UNIT}`] : [];
  const refused = [...refusal?.sentences ?? []];
  if (refusal?.advice) refused.push(`${refused.pop()}; or ${refusal.advice}`);
  return [...refused, ...problems, ...unwatched, ...unsupervised, ...unstarted];
}

/** Reports whether a problem may be this user's alone: the monitor runs as a user of its own. */
function isOnlyHere(sentence: string): boolean {
  return Deno.uid() !== 0 && isDenial(sentence);
}

/** Returns why the journal cannot be read, with a remedy for this command. */
function journalText(problem: string | null): string {
  if (problem === null) return "can be read";
  return isOnlyHere(problem) ? `${problem.split("; ")[0]}; \`sudo strongmonitor init\` finds more` : problem;
}

/** Returns the command that prints the same configuration again. */
function sourceOf({ nginxConf }: InitOptions): string {
  const elsewhere = nginxConf === NGINX_CONF ? [] : ["--nginx-conf", nginxConf];
  return ["strongmonitor", "init", "--yes", ...elsewhere].map(shellWord).join(" ");
}

/** Indents a command, except one of several lines: its here-document must end at a line's start. */
function indented(command: string): string[] {
  const [line, ...text] = command.split("\n");
  const width = columnsOf(Deno.stderr) ?? Infinity;
  return [...wrapCommand(text.length > 0 ? line! : `  ${line}`, width), ...text];
}

function existing(path: string): UserError {
  return new UserError(`Cannot write ${path}: it is there already; --force replaces it`, 1);
}

async function install(steps: readonly Step[], { config, force }: InitOptions): Promise<number> {
  if (!force && await isEdited(config)) throw existing(config);
  for (const step of steps) {
    if (await runStep(step)) continue;
    printError(`Cannot go on: this failed: ${["sudo", ...step.argv].map(shellWord).join(" ")}`);
    return 1;
  }
  printError(`Done. \`${asRoot("strongmonitor doctor")}\` tells whether everything works.`);
  return 0;
}

function describe({ journal, sshPorts, sshLog, origins, nginx, obstacle, managers }: Survey): string[] {
  const lines = [
    `journal   ${journalText(journal)}`,
    `sshd      ${sshPorts.length > 0 ? `listens on ${sshPorts.join(", ")}` : "port not known"}` +
    (sshLog === null ? "" : `, logs to ${sshLog}`),
    `you       ${origins.length > 0 ? `logged in from ${origins.join(", ")}` : "not logged in over ssh"}`,
    `firewall  ${obstacle ?? "nftables"}${managers.map((name) => `, ${name}`).join("")}`,
  ];
  if (nginx === null) return [...lines, "nginx     none"];
  const { logs, formats, proxies, busiest, unread } = nginx;
  const behind = [...proxies, ...(busiest === null ? [] : [busiest])];
  return [
    ...lines,
    `nginx     ${logs.length > 0 ? `logs to ${logs.join(", ")}` : `logs are looked for in ${NGINX_LOGS}`}`,
    ...(unread === null ? [] : [`          its configuration was not read in full: ${unread}`]),
    ...(formats.length > 0 ? [`          ${counted(formats.length, "log format")} of its own`] : []),
    ...(behind.length > 0 ? [`          behind ${behind.join(", ")}`] : []),
  ];
}

/** Returns the object of docs/json.md. */
function surveyJson(
  survey: Survey,
  { text, problems, commands }: { text: string; problems: readonly string[]; commands: readonly string[] },
): unknown {
  const { journal, sshPorts, sshLog, origins, origin, nginx, hasNft, managers } = survey;
  return {
    journal_error: journal,
    ssh_ports: sshPorts,
    ssh_log: sshLog,
    origins,
    origin,
    nginx: nginx && {
      logs: nginx.logs,
      formats: nginx.formats,
      proxies: nginx.proxies,
      busiest_client: nginx.busiest,
      error: nginx.unread,
    },
    nft: hasNft,
    managers,
    config: text,
    problems,
    commands,
  };
}
