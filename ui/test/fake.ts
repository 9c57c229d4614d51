// The whole contract in memory, for tests and for trying screens by hand. Judges a few fields
// the way the core does; never part of a build.
import type { Boot } from '../src/generated/Boot';
import type { HomeView } from '../src/generated/HomeView';
import type { DateView } from '../src/generated/DateView';
import type { DetailFields } from '../src/generated/DetailFields';
import type { DraftFields } from '../src/generated/DraftFields';
import type { DraftView } from '../src/generated/DraftView';
import type { EndOfDayView } from '../src/generated/EndOfDayView';
import type { FieldProblem } from '../src/generated/FieldProblem';
import type { LimitFields } from '../src/generated/LimitFields';
import type { PrintState } from '../src/generated/PrintState';
import type { PrintView } from '../src/generated/PrintView';
import type { RenewalView } from '../src/generated/RenewalView';
import { emptyFields } from '../src/fields';
import type { Host } from '../src/host/host';

export const PIN = '246810';
const PICTURE = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const BOOT: Boot = {
  site_name: 'Point d’accès numérique — Démonstration',
  nearby: [],
  mediators: [{ id: 'demo', name: 'Camille Durand' }],
  languages: [
    { code: 'fr', name: 'Français', dir: 'ltr', screens: true },
    { code: 'en', name: 'English', dir: 'ltr', screens: true },
    { code: 'ar', name: 'العربية', dir: 'rtl', screens: true },
  ],
  procedures: ['first_permit', 'renewal', 'duplicate', 'change_of_status', 'change_of_address', 'exceptional_admission', 'family_reunification', 'refugee_travel_document', 'naturalisation'],
  limits: [{ key: 'protection_order', in_days: false }, { key: 'court_injunction', in_days: true }, { key: 'permit_expiry', in_days: false },
    { key: 'visa_expiry', in_days: false }, { key: 'attestation_expiry', in_days: false }, { key: 'birthday_18', in_days: false }, { key: 'birthday_19', in_days: false }],
  nationalities: ['AFG', 'DZA', 'MAR', 'SYR', 'XXA'],
  session: null,
  idle_s: 120,
};

function judge(fields: DraftFields): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const add = (field: string, code: string, max = '') => problems.push({ field, code, max });
  if (fields.family_names === '') add('family_names', 'empty');
  if (fields.family_names.length > 120) add('family_names', 'too_long', '120');
  if (fields.given_names === '') add('given_names', 'empty');
  if (!/^\d{4}$/.test(fields.birth.year)) add('birth.year', fields.birth.year === '' ? 'empty' : 'bad_year');
  if (fields.birth.form === 'whole' && Number(fields.birth.month) > 12) add('birth.month', 'bad_date');
  if (fields.nationality === '') add('nationality', 'unknown_nationality');
  if (fields.procedure === '') add('procedure', 'unknown_procedure');
  if (fields.renewal?.expires_on === '2033-12-31') add('renewal.expires_on', 'opens_far_ahead', '2032-11-30');
  if (fields.limit && fields.limit.days === '' && fields.limit.last_day === '') add('limit.last_day', 'limit_missing');
  if (fields.renamed && fields.moved === '') add('moved', 'empty');
  return problems;
}

// On 4 March 2031, with days the core would count.
function standing(fields: DraftFields): RenewalView | null {
  const day = fields.renewal?.expires_on ?? '';
  const uncertain = fields.renewal?.regime !== 'other';
  if (fields.procedure !== 'renewal') return null;
  if (day === '2031-12-31') return { standing: 'too_early', day: '2031-10-31', uncertain };
  if (day === '2031-04-30') return { standing: 'in_time', day: '2031-04-30', uncertain };
  return day === '2031-02-28' ? { standing: 'late', day: '2031-02-28', uncertain } : null;
}

const DAY: EndOfDayView = {
  first: ['papers', 'export'], only_here: 2, records_waiting: 5, pages_waiting: 7, set_aside: 1,
  papers: [{ visit: 'v8', state: 'kept', code: 'JLN-7K2M-QX4T', name: 'Benali Amélie', begun_by: null, since: '2031-03-04T10:02', days: 0 }],
  replaced: [{ visit: 'v7', lang: 'ar', code: 'JLN-3F8P-WW2C', name: 'Haddad Sami', phone: '+33 6 12 34 56 78', since: '2031-03-03T11:40', days: 1 }],
  drafts: [{ visit: 'v9', state: 'draft', code: null, name: 'بن علي', begun_by: null, since: '2031-03-01T15:20', days: 3 },
    { visit: 'v10', state: 'draft', code: null, name: '', begun_by: 'Médiatrice du matin', since: '2031-03-04T08:10', days: 0 }],
  storage: { state: 'ok', free_mib: 43_008, total_mib: 122_880 }, exported: null, standing: null, vaults_set_aside: [],
};

export interface Fake extends Host {
  /** Set: the core asks what day it is. */
  todayFrom: string | null;
  /** What the printer will say, one answer a look; the last stays. */
  printer: PrintState[];
  /** Codes the next calls of a command reject with. */
  refuse: Map<string, string>;
  /** What the answers of a command wait for. */
  hold: Map<string, Promise<void>>;
  calls: string[];
  saved: DraftFields | null;
  /** True once an export was written. */
  onStick: boolean;
  /** Who has an earlier date to be told of. */
  toTell: HomeView['to_tell'];
  /** What was corrected. */
  corrected: DetailFields | null;
  annulment: DateView['annulment'];
  /** The date lies after a time limit: the letter of it. */
  limitLetter: DateView['limit_letter'];
  /** The registration follows another site's. */
  transfer: DateView['transfer'];
  /** A cancellation by telephone or mail that waits. */
  cancelAsked: DateView['cancel_asked'];
  /** A far date that is asked about. */
  reconfirm: DateView['reconfirm'];
  cancelled: DateView['cancelled'];
  /** The time limit declared later. */
  limit: LimitFields | null;
  /** Set: this hour is full, and whoever registers has a rank. */
  busy: boolean;
  /** When the others of the visit are received. */
  beside: string[];
  /** The door code of a paper that is good here today. */
  expected: string | null;
}

export function fakeHost(boot: Partial<Boot> = {}): Fake {
  let draft: DraftView | null = null;
  let date: DateView | null = null;
  let sent = 0;
  let said = false;
  const view = (): DraftView => {
    if (!draft) throw { code: 'no_visit', args: {} };
    return JSON.parse(JSON.stringify(draft)) as DraftView;
  };
  const paper = (state: PrintState): PrintView => ({
    code: 'JLN-7K2M-QX4T', attempt: `a${sent}`, state, job_id: state === 'not_sent' ? null : 41 + sent, bytes: 88211, sha256: 'ab12', said,
    problem: state === 'waiting' ? { code: 'printer_no_paper', args: {} } : state === 'failed' ? { code: 'printer_aborted', args: {} } : null,
  });
  const made = (): DateView => ({ ...firm(), ...(fake.busy ? { kind: 'receipt', source: 'rank', slot_at: null, slot: null, no_later_than: '2031-06-12T09:40', busy: true } : {}) });
  const firm = (): DateView => ({
    visit: 'v1', code: 'JLN-7K2M-QX4T', kind: 'convocation', source: 'lease', slot_at: '2031-03-12T09:40', no_later_than: null, told: null, busy: false, zone: 'Europe/Paris', slot: 's-17', site: draft?.fields.department_wide ? 'Sous-préfecture du Raincy' : 'Préfecture — guichet 2', elsewhere: draft?.fields.department_wide ? ['57 avenue Thiers', '93340 Le Raincy'] : null,
    details: { family_names: 'DIALO', given_names: 'Awa', birth: { form: 'whole', day: '14', month: '3', year: '1991' }, nationality: 'MAR', lang: 'ar' },
    limit: fake.limitLetter ? '2031-03-10' : null, after_limit: fake.limitLetter !== null, limit_letter: fake.limitLetter, opens: draft?.renewal?.standing === 'too_early' ? draft.renewal.day : null, only_here: true, code_large: 'JLN-7K2M-QX4T', advance: null, offer: null, cancelled: fake.cancelled, annulment: fake.annulment, transfer: fake.transfer, cancel_asked: fake.cancelAsked, reconfirm: fake.reconfirm, beside: draft?.fields.party?.with ? ['2031-03-12T09:20'] : fake.beside,
  });
  const given = (): DateView => { if (!date) throw { code: 'no_visit', args: {} }; return date; };
  const look = (): PrintView => paper((fake.printer.length > 1 ? fake.printer.shift() : fake.printer[0]) ?? 'printed');
  async function call<T>(name: string, answer: () => T): Promise<T> {
    fake.calls.push(name);
    await fake.hold.get(name);
    const code = fake.refuse.get(name);
    if (code) {
      fake.refuse.delete(name);
      throw { code, args: { seconds: '30', max: '20' } };
    }
    return answer();
  }
  const fake: Fake = {
    printer: ['sent', 'printed'], refuse: new Map(), hold: new Map(), calls: [], saved: null, onStick: false, toTell: [], annulment: null, limitLetter: null, transfer: null, cancelAsked: null, reconfirm: null, cancelled: null, expected: null, busy: false, beside: [], todayFrom: null, limit: null, corrected: null,
    setAside: () => call('set_aside', () => { fake.refuse.delete('boot'); return null; }),
    boot: () => call('boot', () => ({ ...BOOT, ...boot })),
    unlock: (id, pin) => call('unlock', () => {
      if (pin !== PIN) throw { code: 'bad_pin', args: {} };
      return { mediator: { id, name: 'Camille Durand' } };
    }),
    lock: () => call('lock', () => null),
    home: () => call('home', () => ({
      connection: 'offline', last_contact: '2031-03-04T09:12', today_from: fake.todayFrom, lease: { free: 3, used: 1, first_day: '2031-03-10', last_day: '2031-04-02' }, waiting: 2, held: 1, set_aside: 0,
      notices: ['quarantined', 'disk_older', 'central_forgot'],
      unfinished: [{ visit: 'v9', state: 'kept', code: 'JLN-2B3C-9D8F', name: 'TRAORÉ Awa', begun_by: null },
        { visit: 'v10', state: 'draft', code: null, name: '', begun_by: 'Médiatrice du matin' }],
      to_tell: fake.toTell,
    })),
    startVisit: (lang) => call('start_visit', () => {
      draft = {
        visit: 'v1', pages: [], saved: true, code: null, problems: [], renewal: null, second: null,
        fields: {
          lang, family_names: '', given_names: '', birth: { form: 'whole', day: '', month: '', year: '' }, birth_place: '', nationality: '', agdref: '', declared: false,
          contact: { phone: '', email: '', postal: '' }, representative: null, procedure: '', limit: null, renewal: null, accepts_earlier: '', department_wide: false, moved: '', renamed: false, party: null,
        },
      };
      draft.problems = judge(draft.fields);
      return view();
    }),
    nextOfVisit: (_visit, samePerson) => call('next_of_visit', () => {
      if (!draft || !date) throw { code: 'draft_incomplete', args: {} };
      const { fields } = draft;
      const still = Math.max(1, Number(fields.party?.people ?? '1') - 1);
      const family = { ...emptyFields(fields.lang), family_names: fields.family_names, nationality: fields.nationality, contact: fields.contact, party: { people: String(still), with: date.code } };
      draft = { visit: 'v2', pages: [], saved: true, code: null, problems: [], renewal: null, second: null, fields: samePerson ? { ...fields, procedure: '', limit: null, renewal: null, party: family.party } : family };
      date = null;
      draft.problems = judge(draft.fields);
      return view();
    }),
    followUp: (code) => call('follow_up', () => code.startsWith('E')
      ? { visit: null, lang: 'fr', elsewhere: { code, slot_at: '2027-05-03T10:20', site: 'Sous-préfecture', zone: 'Europe/Paris', cancelled: false, until: null, cancel_asked: fake.cancelAsked, reconfirm: fake.reconfirm, offer: { offer: 'o1', slot_at: '2027-04-02T09:00', until: '2027-03-12' } } }
      : (date ??= { ...made(), offer: { offer: 'o2', slot_at: '2031-03-07T09:00', until: '2031-03-05' } }, { visit: 'v1', lang: 'ar', elsewhere: null })),
    arrive: (door) => call('arrive', () => ({
      verdict: 'valid', reason: '', replaced_by: null, code: 'JLN-2B3C-9D8F', name: 'TRAORÉ Awa', birth: '1988-02-01', kind: 'convocation', slot_at: '2027-05-03T10:20',
      site: 'ONE', visit: null, lang: null, arrive: null, arrived_at: door === fake.expected ? '2027-05-03T10:11' : null, door: null, rebuild: null,
    })),
    showPaper: () => call('show_paper', () => ({
      verdict: 'valid', reason: '', replaced_by: null, code: 'JLN-2B3C-9D8F', name: 'TRAORÉ Awa', birth: '1988-02-01', kind: 'convocation', slot_at: '2027-05-03T10:20',
      site: 'ONE', visit: null, lang: null, arrive: fake.expected, arrived_at: null, door: 'JALON1.A', rebuild: 'JALON1.B',
    })),
    bringPaper: () => call('bring_paper', () => null),
    printNotice: () => call('print_notice', () => { date = { ...(date ?? made()), annulment: { until: '2031-03-18', printed: true, told_at: null } }; return date; }),
    handNotice: () => call('hand_notice', () => { date = { ...(date ?? made()), annulment: { until: '2031-03-18', printed: true, told_at: '2031-03-04T10:00' } }; return date; }),
    printLimitLetter: () => call('print_limit_letter', () => { date = { ...(date ?? made()), limit_letter: { told_at: '2031-03-04T10:00', printed: true, handed_at: null } }; return date; }),
    handLimitLetter: () => call('hand_limit_letter', () => { date = { ...(date ?? made()), limit_letter: { told_at: '2031-03-04T10:00', printed: true, handed_at: '2031-03-04T10:05' } }; return date; }),
    cancel: () => call('cancel', () => ({ ...given(), offer: null, cancelled: { at: '2031-03-04T10:00', until: '2031-04-03', returning: false, annulled: false, elsewhere: null } })),
    reinstate: () => call('reinstate', () => ({ ...given(), cancelled: { at: '2031-03-04T10:00', until: '2031-04-03', returning: true, annulled: false, elsewhere: null } })),
    declareLimit: (_visit, limit) => call('declare_limit', () => {
      fake.limit = limit;
      date = { ...given(), limit: limit.last_day, offer: { offer: 'o3', slot_at: '2031-03-06T09:00', until: '2031-03-05' } };
      return date;
    }),
    correct: (_visit, details) => call('correct', () => {
      fake.corrected = details;
      date = { ...given(), details };
      return date;
    }),
    keepTransfer: () => call('keep_transfer', () => ({ ...given(), transfer: fake.transfer && { ...fake.transfer, state: 'keeping' } })),
    answerOffer: (_visit, accept) => call('answer_offer', () => ({ ...given(), offer: null, slot_at: accept ? '2031-03-07T09:00' : given().slot_at })),
    answerOfferElsewhere: (_code, _birth, _offer, accept) => call('answer_offer_elsewhere', () => ({ accepted: accept, slot_at: '2031-03-07T09:00' })),
    sayComing: () => call('say_coming', () => { const now = given(); date = { ...now, cancel_asked: null, reconfirm: now.reconfirm && { ...now.reconfirm, said: true } }; return date; }),
    sayElsewhere: (_code, _birth, word, slotAt, documentSeen) => call('say_elsewhere', () => {
      if (word !== 'come' && !documentSeen) throw { code: 'document_not_seen', args: {} };
      return word === 'cancel' ? { word, slot_at: null, until: '2031-04-03' } : { word, slot_at: slotAt ?? '2027-05-03T10:20', until: null };
    }),
    askEarlier: () => call('ask_earlier', () => ({ asked_at: '2031-03-04T10:00', state: 'only_here', answered_at: null, answer: null })),
    declareToday: () => call('declare_today', () => { fake.todayFrom = null; return null; }),
    reprint: () => call('reprint', look),
    openVisit: () => call('open_visit', view),
    saveDraft: (_visit, fields) => call('save_draft', () => {
      if (!draft) throw { code: 'no_visit', args: {} };
      // The second mediator saw one name.
      const second = fields.family_names === draft.fields.family_names ? draft.second : null;
      const problems = judge(fields);
      if (fields.renamed && problems.length === 0 && !second) problems.push({ field: 'renamed', code: 'second_session', max: '' });
      draft = { ...draft, fields, problems, second, renewal: standing(fields), saved: true };
      fake.saved = fields;
      return view();
    }),
    unlockSecond: (_visit, id, pin) => call('unlock_second', () => {
      if (!draft) throw { code: 'no_visit', args: {} };
      if (pin !== PIN) throw { code: 'bad_pin', args: {} };
      const name = ({ ...BOOT, ...boot }).mediators.find((one) => one.id === id)?.name ?? null;
      draft = { ...draft, second: name, problems: draft.problems.filter((problem) => problem.field !== 'renamed') };
      return view();
    }),
    discardDraft: () => call('discard_draft', () => { draft = null; return null; }),
    scanPage: () => call('scan_page', () => {
      const pages = draft?.pages ?? [];
      pages.push({ id: `p${pages.length + 1}`, number: pages.length + 1, thumbnail: PICTURE });
      return view();
    }),
    removePage: (_visit, page) => call('remove_page', () => {
      if (draft) draft.pages = draft.pages.filter((one) => one.id !== page);
      return view();
    }),
    readBack: () => call('read_back', () => {
      const { fields, problems, pages } = view();
      return {
        lang: fields.lang, problems,
        lines: [
          { key: 'name', value: `${fields.family_names} ${fields.given_names}` },
          { key: 'birth', value: `${fields.birth.day}/${fields.birth.month}/${fields.birth.year}` },
          { key: 'nationality', value: fields.nationality }, { key: 'procedure', value: fields.procedure },
          { key: 'pages', value: String(pages.length) },
        ],
      };
    }),
    confirm: () => call('confirm', () => { date = made(); return date; }),
    date: () => call('date', () => (fake.toTell.length > 0 ? made() : given())),
    print: () => call('print', () => { sent += 1; said = false; return look(); }),
    printStatus: () => call('print_status', look),
    answerPrint: (_visit, cameOut) => call('answer_print', () => { said = true; fake.printer = [cameOut ? 'printed' : 'failed']; return look(); }),
    finishVisit: () => call('finish_visit', () => { draft = null; date = null; return null; }),
    outbox: () => call('outbox', () => ({
      connection: 'offline', problem: { code: 'central_unreachable', args: {} },
      items: [
        { id: 'r1', kind: 'registration', code: 'JLN-7K2M-QX4T', at: '2031-03-04T10:02', state: 'waiting', tries: 2, problem: null },
        { id: 'r3', kind: 'piece', code: 'JLN-7K2M-QX4T', at: '2031-03-04T10:02', state: 'set_aside', tries: 0, problem: { code: 'set_aside_registration_unknown', args: {} } },
        { id: 'r2', kind: 'print', code: 'JLN-7K2M-QX4T', at: '2031-03-04T10:03', state: 'held', tries: 0, problem: null },
      ],
    })),
    syncNow: () => call('sync_now', () => ({ connection: 'online', problem: null, items: [] })),
    endOfDay: () => call('end_of_day', () => ({ ...DAY, exported: fake.onStick ? { at: '2031-03-04T17:31', whole: true } : null, first: fake.onStick ? ['papers'] : DAY.first })),
    media: () => call('media', () => [{ id: '/media/lou/CLE', name: 'CLE', free_mib: 7400, files: ['jalon-0a1b2c3d-20310304-091500.jalon'] }]),
    exportTo: (medium) => call('export_to', () => {
      if (medium !== '/media/lou/CLE') throw { code: 'export_place_gone', args: {} };
      fake.onStick = true;
      return { medium: 'CLE', file: 'jalon-77d04c1e-20310304-173100.jalon', records: 12, pages: 7, pages_left_out: 0 };
    }),
    deliverFrom: (_medium, file) => call('deliver_from', () => ({ file, received: 9, known: 0, refused: 0 })),
  };
  return fake;
}
