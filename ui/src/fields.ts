// The fields of a draft before anything is typed, and the screen each is typed on.
import type { DraftFields } from './generated/DraftFields';
import type { Screen } from './state';

/** A visit taken up by its paper holds no typed field. */
export const emptyFields = (lang: string): DraftFields => ({
  lang, family_names: '', given_names: '', birth: { form: 'whole', day: '', month: '', year: '' }, birth_place: '', nationality: '', agdref: '', declared: false,
  contact: { phone: '', email: '', postal: '' }, representative: null, procedure: '', limit: null, renewal: null, accepts_earlier: '', department_wide: false, moved: '', renamed: false, party: null,
});

/** The screen a field is typed on. */
export const screenOf = (field: string): Screen =>
  /^(procedure|limit|renewal|accepts_earlier|department_wide|moved|renamed|party)\b/.test(field) ? 'procedure' : 'person';
