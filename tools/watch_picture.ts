/** Makes docs/watch.svg: `watch` as it shows a history that is made up, the same at each run. `--stdout` prints it instead. */
import { frame } from "../lib/commands/watch/frame.ts";
import { NOON, seededModel } from "../tests/support/watch_model.ts";
import { publish, terminalPicture } from "./terminal_picture.ts";

const SIZE = { columns: 110, rows: 34 };

const lines = frame(await seededModel(NOON), SIZE);
await publish("watch.svg", terminalPicture({ lines, columns: SIZE.columns, label: "strongmonitor watch" }));
