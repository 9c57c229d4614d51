// Every sentence on screen, from locales/<lang>/{ui,errors,dates}.ftl: days and times as on the paper.
// Holds no sentence itself and never computes with a date: it only spells one out.
import { FluentBundle, FluentResource } from '@fluent/bundle';
import type { Problem } from './generated/Problem';
import { twoLetters } from './regions';
import arDates from '../../locales/ar/dates.ftl?raw';
import arErrors from '../../locales/ar/errors.ftl?raw';
import arUi from '../../locales/ar/ui.ftl?raw';
import enDates from '../../locales/en/dates.ftl?raw';
import enErrors from '../../locales/en/errors.ftl?raw';
import enUi from '../../locales/en/ui.ftl?raw';
import frDates from '../../locales/fr/dates.ftl?raw';
import frErrors from '../../locales/fr/errors.ftl?raw';
import frUi from '../../locales/fr/ui.ftl?raw';

export type Args = Record<string, string | number>;

const SOURCES: Record<string, string[]> = {
  fr: [frUi, frErrors, frDates], en: [enUi, enErrors, enDates], ar: [arUi, arErrors, arDates],
};
const FALLBACK = 'fr';
const STATELESS = 'XXA';

// Western digits everywhere, as on the paper: the counter and the person read the same signs.
const locale = (lang: string): string => `${lang}-u-nu-latn`;

const bundles = new Map(
  Object.entries(SOURCES).map(([lang, sources]) => {
    const bundle = new FluentBundle(locale(lang), { useIsolating: true });
    for (const source of sources) bundle.addResource(new FluentResource(source));
    return [lang, bundle];
  }),
);

/** The language screens are shown in for a person: theirs, or French when it has no screens. */
export const screenLang = (lang: string): string => (bundles.has(lang) ? lang : FALLBACK);

export const dash = (key: string): string => key.replaceAll('_', '-');

export function has(lang: string, key: string): boolean {
  return bundles.get(screenLang(lang))?.hasMessage(key) ?? false;
}

export function say(lang: string, key: string, args?: Args): string {
  const bundle = bundles.get(screenLang(lang));
  const pattern = bundle?.getMessage(key)?.value;
  return bundle && pattern ? bundle.formatPattern(pattern, args, []) : key;
}

/** The sentence of a problem; a code nobody wrote a sentence for is named, so support can look it up. */
export function sayProblem(lang: string, problem: Problem): string {
  const key = `error-${dash(problem.code)}`;
  return has(lang, key) ? say(lang, key, problem.args) : say(lang, 'error-unknown', { code: problem.code });
}

// Civil strings carry no zone; read and written as if in UTC they come out unchanged.
function civil(text: string): Date | null {
  const at = new Date(text.length > 10 ? `${text}Z` : `${text}T00:00Z`);
  return Number.isNaN(at.getTime()) ? null : at;
}

// A date becomes part of other sentences. Marks around its parts would hide their letters from
// the mark around the whole, which then reads an Arabic date from the left.
const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, '');

export function day(lang: string, text: string): string {
  const at = civil(text.slice(0, 10));
  if (!at) return text;
  // Sunday is 0 here and 7 in the files. Only the day is a number: a year gets no thousands mark.
  const weekday = say(lang, `weekday-${at.getUTCDay() || 7}`);
  const month = say(lang, `month-${at.getUTCMonth() + 1}`);
  return plain(say(lang, 'date-long', { weekday, day: at.getUTCDate(), month, year: String(at.getUTCFullYear()) }));
}

export function time(lang: string, text: string): string {
  const at = civil(text.slice(0, 16));
  if (!at) return text;
  const minute = String(at.getUTCMinutes()).padStart(2, '0');
  return plain(say(lang, 'time-of-day', { hour: String(at.getUTCHours()), minute }));
}

/** A day typed the French way, written the one way the core reads; anything else as it is. */
export function isoDay(text: string): string {
  const parts = text.trim().match(/^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/);
  if (!parts?.[1] || !parts[2] || !parts[3]) return text;
  return `${parts[3]}-${parts[2].padStart(2, '0')}-${parts[1].padStart(2, '0')}`;
}

/** Both in one phrase, for lists. */
export const dayTime = (lang: string, text: string): string =>
  plain(say(lang, 'date-time-long', { date: day(lang, text), time: time(lang, text) }));

/** Nationality codes with their names, in the order of the language's alphabet. */
export function nationalities(lang: string, codes: string[]): { code: string; name: string }[] {
  const names = new Intl.DisplayNames([screenLang(lang)], { type: 'region', fallback: 'code' });
  const nameOf = (code: string): string => {
    if (code === STATELESS) return say(lang, 'nationality-stateless');
    const short = twoLetters.get(code);
    return short ? (names.of(short) ?? code) : code;
  };
  return codes
    .map((code) => ({ code, name: nameOf(code) }))
    .sort((a, b) => a.name.localeCompare(b.name, screenLang(lang)));
}
