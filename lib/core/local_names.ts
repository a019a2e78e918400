/** Names of days and months in other languages than English, as glibc and ICU shorten them. */

/** By month, from January. `lis` is Polish and Czech, where Croatian means October. */
const MONTHS = [
  "jan janv ene gen sty led oca ian янв",
  "feb fév févr fev lut úno şub febr фев февр",
  "mar mär märz mars mrt bře már márc мар",
  "apr avr avril abr kwi dub nis ápr апр",
  "mai may mag mei maj kvě máj май мая",
  "jun juni juin giu cze čen haz jún iun июн",
  "jul juli juil lug lip čec tem júl iul июл",
  "aug aoû août ago sie srp ağu авг",
  "sep sept set wrz zář eyl szept сен сент",
  "okt oct ott out paź říj eki окт",
  "nov lis kas ноя нояб",
  "dez déc dec dic gru pro ara des дек",
].map((names) => names.split(" "));
const DAYS = [
  ...["mo di mi do fr sa so", "lun mar mer jeu ven sam dim", "mié jue vie sáb dom", "gio sab"],
  ...["seg ter qua qui sex", "ma wo vr za zo", "mån tis ons tor fre lör sön", "pon wto śro czw pią sob nie"],
  ...["пн вт ср чт пт сб вс", "月 火 水 木 金 土 日", "월 화 수 목 금 토 일", "一 二 三 四 五 六"],
].flatMap((names) => names.split(" "));
const NUMBERS = new Map(MONTHS.flatMap((names, month) => names.map((name) => [name, month + 1] as const)));
const WORD = "[\\p{L}\\p{M}]";

/** A month before a day and a time of day, as the source of an expression with the flag `u`. */
export const LOCAL_MONTH = `(?:${WORD}{3,5}\\.?|\\d{1,2}[月월])(?= +\\d)`;
/** Matches a day of the week before a date of digits. */
export const LOCAL_DAY = new RegExp(`^(?:${DAYS.join("|")})\\.? (?=\\d{4}-\\d\\d-\\d\\d )`, "iu");

/** Returns the number of a month by its short name, `Mär`, `févr.` or `3月`; null for another word. */
export function localMonth(name: string): number | null {
  const digits = /^(\d{1,2})[月월]$/.exec(name)?.[1];
  return digits === undefined ? NUMBERS.get(name.toLowerCase().replace(/\.$/, "")) ?? null : Number(digits);
}
