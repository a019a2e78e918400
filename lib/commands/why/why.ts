import { UserError } from "../../core/error.ts";
import { now } from "../../core/time.ts";
import { requireNetwork } from "../common/values.ts";
import { WIDTH } from "../common/layout.ts";
import { withContext } from "../common/open_state.ts";
import { type CommonOptions, outputWidth, printResult, zoneName } from "../common/output.ts";
import { storyJson } from "./json.ts";
import { askMembers, storyOf } from "./story.ts";
import { storyLines } from "./text.ts";
import { whyUser } from "./user.ts";

/** Options of `why`. */
export interface WhyOptions extends CommonOptions {
  readonly user?: string;
}

/**
 * `why`: prints the story of an address or network, or where a user came from. Without a
 * configuration, some parts are missing. Reports of other members come from the database, if it
 * answers soon. Throws `UserError` (64, 69, 78).
 */
export async function whyCommand(text: string | undefined, options: WhyOptions): Promise<number> {
  const { user } = options;
  if ((text === undefined) === (user === undefined)) {
    throw new UserError("Cannot tell why: expected an address, a network, or --user with a name", 64);
  }
  if (text === undefined) return whyUser(user!, options);
  const target = requireNetwork(text);
  return await withContext(options, async ({ state, config, configError }) => {
    const story = {
      ...storyOf(target, { state, config, time: now() }),
      ...await askMembers(target, { state, config }),
      configError,
    };
    const lines = storyLines(story, Math.min(WIDTH, outputWidth() ?? WIDTH));
    printResult(options, storyJson(story), ...lines, `times     of ${zoneName()}`);
    return 0;
  });
}
