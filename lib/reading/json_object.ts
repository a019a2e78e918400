/** Members of JSON objects in lines, which need not be whole: a line may have been cut off. */

import { tried } from "../core/error.ts";

/** The next token of a JSON object. */
const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+)/y;

/** A member with a text or a number, of an object or of an object in it. */
export interface Member {
  readonly key: string;
  /** Key in the inner object; "": the member is the outer object's own. */
  readonly inner: string;
  readonly text: string;
}

/** Finds the members of the object at the start of `line`, two objects deep. */
export function* membersOf(line: string): Generator<Member, void> {
  let [depth, key, inner, before] = [0, "", "", ""];
  for (let at = 0, found = tokenAt(line, 0); found !== null; found = tokenAt(line, at)) {
    at = found.end;
    const { token } = found;
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token === ":") [key, inner] = [textOf(before), ""];
    else if (depth === 2 && token === ":") inner = textOf(before);
    else if (before === ":" && (depth === 1 || (depth === 2 && inner !== ""))) {
      yield { key, inner, text: textOf(token) };
    }
    before = token;
  }
}

function tokenAt(line: string, at: number): { readonly token: string; readonly end: number } | null {
  TOKEN.lastIndex = at;
  const match = TOKEN.exec(line);
  return match && { token: match[1]!, end: TOKEN.lastIndex };
}

/** Returns the text that a token stands for; a wrong escape stays as it is. */
function textOf(token: string): string {
  if (!token.startsWith('"')) return token;
  if (!token.includes("\\")) return token.slice(1, -1);
  return tried(() => JSON.parse(token) as string) ?? token.slice(1, -1);
}
