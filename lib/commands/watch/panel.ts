/** Lays out tables of the view: cells become lines of an exact width. Pure. */
import { fit, type Line, span, type Style, widthOf } from "./cell.ts";

/** A column of a table. */
export interface Column {
  readonly heading: string;
  /** Columns of the terminal; null: the rest. */
  readonly width: number | null;
  /** Least panel width that shows this column. */
  readonly from?: number;
  readonly side?: "left" | "right";
  readonly style?: Style;
  /** Shortens a text to a width. Default: cuts off its end. */
  readonly cut?: (text: string, width: number) => string;
}

/** A row: a text for each column, including hidden ones, and its style. */
export interface PanelRow {
  readonly cells: readonly string[];
  readonly style?: Style;
}

/** Contents of a panel. */
export interface Panel {
  readonly columns: readonly Column[];
  readonly rows: readonly PanelRow[];
  /** Text of an empty panel. */
  readonly none: string;
  /** Index of the selected row; null: another panel has the keys, or nothing can be selected. */
  readonly cursor?: number | null;
}

/** Blanks between two columns. */
const GAP = 1;

/** Returns a heading and as many rows as fit, around the selected one. */
export function panelLines(panel: Panel, { width, height }: { width: number; height: number }): Line[] {
  const { rows, none, cursor = null } = panel;
  const isShown = panel.columns.map(({ from = 0 }) => width >= from);
  const columns = panel.columns.filter((_, i) => isShown[i]);
  const fixed = columns.reduce((sum, column) => sum + (column.width ?? 0) + GAP, -GAP);
  const widths = columns.map((column) => column.width ?? Math.max(1, width - fixed));
  const room = height - 1;
  const top = Math.max(0, Math.min((cursor ?? 0) - Math.floor(room / 2), rows.length - room));
  const shown = rows.slice(top, top + room);
  const heading = columns.map(({ heading, side }, i) => fit(heading, widths[i]!, side)).join(" ".repeat(GAP));
  const lines: Line[] = [[span(fit(heading, width), cursor === null ? "bold" : "accent")]];
  for (const [i, row] of shown.entries()) {
    const cells = row.cells.filter((_, i) => isShown[i]);
    lines.push(rowLine({ ...row, cells }, { columns, widths, width, isSelected: top + i === cursor }));
  }
  if (rows.length === 0) lines.push([span(fit(none, width), "dim")]);
  while (lines.length < height) lines.push([span(" ".repeat(width))]);
  return lines.slice(0, height);
}

function rowLine(
  { cells, style = "plain" }: PanelRow,
  { columns, widths, width, isSelected }: {
    columns: readonly Column[];
    widths: readonly number[];
    width: number;
    isSelected: boolean;
  },
): Line {
  const parts = cells.map((cell, i) => {
    const { side, cut } = columns[i]!;
    return fit(cut?.(cell, widths[i]!) ?? cell, widths[i]!, side);
  });
  if (isSelected) return [span(fit(parts.join(" ".repeat(GAP)), width), "selected")];
  const spans = parts.flatMap((part, i) => [
    ...i > 0 ? [span(" ".repeat(GAP))] : [],
    span(part, style === "plain" ? columns[i]!.style ?? "plain" : style),
  ]);
  const taken = parts.reduce((sum, part) => sum + widthOf(part) + GAP, -GAP);
  return taken < width ? [...spans, span(" ".repeat(width - taken))] : spans;
}

/** Joins two panels of the same height side by side. */
export function beside(left: readonly Line[], right: readonly Line[], gap: number): Line[] {
  return left.map((line, i) => [...line, span(" ".repeat(gap)), ...right[i]!]);
}
