import { strict as assert } from "node:assert";
import { dirname, join, normalize } from "node:path/posix";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** Folders that hold what was built or stored. */
const MADE = ["dist", "state", "node_modules"];

/** Returns the files in `directory` whose names fit `name`, as paths in the project. */
function filesIn(directory: string, name: RegExp): string[] {
  return [...Deno.readDirSync(`${ROOT}/${directory}`)].flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory) return entry.name === ".git" || MADE.includes(path) ? [] : filesIn(path, name);
    return entry.isFile && name.test(entry.name) ? [path] : [];
  });
}

function read(path: string): string {
  return Deno.readTextFileSync(`${ROOT}/${path}`);
}

/** Removes fenced blocks of code, in which nothing is a heading or a link. */
function withoutFences(text: string): string {
  return text.replace(/^( *)(```|~~~)[\s\S]*?^\1\2 *$/gm, "");
}

/** Returns the anchors that GitHub gives the headings of a page: repeated ones end with `-1`, `-2`, and so on. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutFences(page).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const shown = heading!.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = shown.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Returns the targets of a page's links and pictures that lie in the project. */
function linksOf(page: string): string[] {
  const text = withoutFences(page).replace(/`[^`\n]*`/g, "");
  const links = /\]\(\s*<?([^)\s>]+)|^ {0,3}\[[^\]]+\]:\s+(\S+)|\b(?:href|src|srcset)="([^"]+)"/gm;
  return [...text.matchAll(links)]
    .map(([, inline, reference, html]) => inline ?? reference ?? html!)
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** Returns what is wrong with a link of the page `from`, or nothing. */
function faultOf(from: string, target: string): string[] {
  const [path, anchor] = target.split("#") as [string, string?];
  const file = path === "" ? from : normalize(join(dirname(from), decodeURI(path)));
  try {
    Deno.statSync(`${ROOT}/${file}`);
  } catch {
    return [`${from}: ${target} does not exist`];
  }
  if (anchor === undefined || !file.endsWith(".md")) return [];
  return anchorsOf(read(file)).has(anchor) ? [] : [`${from}: ${target} is the anchor of no heading`];
}

Deno.test("`anchorsOf()` names headings as GitHub does", () => {
  const page = [
    "# Why `!/usr/bin/setpriv`",
    "## Who's never banned, and why?",
    "```sh\n# no heading\n```",
    "## [keep_log](x.md#y): é",
    "### Twice\n\n### Twice",
  ].join("\n\n");
  assert.deepEqual([...anchorsOf(page)], [
    "why-usrbinsetpriv",
    "whos-never-banned-and-why",
    "keep_log-é",
    "twice",
    "twice-1",
  ]);
});

Deno.test("`linksOf()` finds links, pictures and references, and none in code", () => {
  const page = [
    "[a](one.md#x) and ![b](two.svg), `[c](no.md)`, [`d`](three.md) `e`",
    "```\n[e](no.md)\n```",
    "[f]: four.md",
    '<img src="five.png"> [g](https://example.org/no.md)',
  ].join("\n\n");
  assert.deepEqual(linksOf(page), ["one.md#x", "two.svg", "three.md", "four.md", "five.png"]);
});

Deno.test("every link of a page leads to a file of the project, and every anchor to a heading", () => {
  const pages = filesIn("", /\.md$/);
  assert.ok(pages.includes("README.md") && pages.includes("lib/core/README.md"), "the pages are found");
  const faults = pages.flatMap((page) => linksOf(read(page)).flatMap((target) => faultOf(page, target)));
  assert.deepEqual(faults, []);
});

Deno.test("every page of docs/ that a message, a comment or another file names exists", () => {
  const files = ["main.ts", "config.jsonc", "CHANGELOG.md"]
    .concat(
      ...["lib", "modules", "tools", "tests", "docs", "packaging"].map((room) =>
        filesIn(room, /\.(?:ts|sh|md|yml|jsonc)$/)
      ),
      filesIn("", /^[\w-]+\.service$/),
    );
  const faults = files.flatMap((file) =>
    [...read(file).matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md(?:#[\w-]+)?/g)]
      .flatMap(([named]) => faultOf("", named).map((fault) => `${file}${fault}`))
  );
  assert.deepEqual(faults, []);
});

Deno.test("no code in a page's text goes on in the next line, as `deno fmt` may break it", () => {
  const broken = filesIn("", /\.md$/).flatMap((page) =>
    withoutFences(read(page)).split("\n")
      .filter((line) => !line.startsWith("    ") && line.replace(/(`+).*?[^`]\1(?!`)/g, "").includes("`"))
      .map((line) => `${page}: ${line}`)
  );
  assert.deepEqual(broken, []);
});
