/** Draws docs/watch.svg: `watch` of a fixed, made-up history. `--stdout` prints it instead. */
import { frame } from "../../lib/commands/watch/frame.ts";
import { NOON, seededModel } from "../support/watch_model.ts";
import { publish, terminalPicture } from "./terminal.ts";

const SIZE = { columns: 110, rows: 34 };

const lines = frame(await seededModel(NOON), SIZE);
await publish("watch.svg", terminalPicture({ lines, columns: SIZE.columns, label: "strongmonitor watch" }));
