import { NEVER } from "../core/async.ts";
import { Runner, whyFailed } from "../core/child_process.ts";
import { permissionProblem } from "../config/refusal.ts";
import { UserError } from "../core/error.ts";
import { now } from "../core/time.ts";
import { testNoticeJson } from "../monitor/notice_json.ts";
import { runHook } from "../monitor/notifier.ts";
import { openConfig } from "./common/open_config.ts";
import { type CommonOptions, printResult } from "./common/output.ts";

/** `notify`: sends a test notice to the hook, and says whether it took it. Throws `UserError`. */
export async function notifyCommand(options: CommonOptions): Promise<number> {
  const config = openConfig(options);
  const { notify, ban: { firewall } } = config;
  if (notify === null) throw new UserError(`Cannot notify: ${config.name} does not set "notify": true`, 78);
  const refusal = permissionProblem(config);
  if (refusal !== null) throw refusal;
  const json = testNoticeJson({ host: Deno.hostname(), firewall }, now());
  const failure = whyFailed(await runHook(new Runner(), json, { ...notify, signal: NEVER }));
  if (failure !== null) throw new UserError(`Cannot notify by ${notify.program}: ${failure}`, 1);
  printResult(options, { done: "notified", program: notify.program }, `${notify.program} took the notice`);
  return 0;
}
