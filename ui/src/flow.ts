// The steps of a visit and what the window holds meanwhile. All state of a person lives in
// `visit` and `paper`, so that clearing them clears everything; nothing is ever kept in the browser.
import { inject, reactive, type InjectionKey } from 'vue';
import type { BirthFields } from './generated/BirthFields';
import type { DetailFields } from './generated/DetailFields';
import type { DraftFields } from './generated/DraftFields';
import type { DraftView } from './generated/DraftView';
import type { LimitFields } from './generated/LimitFields';
import type { OutboxView } from './generated/OutboxView';
import type { Problem } from './generated/Problem';
import type { WordKind } from './generated/WordKind';
import type { Host } from './host/host';
import { sayElsewhere } from './elsewhere';
import { emptyFields, screenOf } from './fields';
import type { Screen, State, Visit } from './state';
import { dash, day, say, sayProblem, screenLang, type Args } from './words';

/** Milliseconds of quiet before what was typed is saved. */
const SAVE_AFTER = 300;
/** Milliseconds between two looks at the printer. */
const LOOK_EVERY = 500;
/** Milliseconds between two looks at connection and outbox. */
const HOME_EVERY = 3000;
/** Seconds a warning stands before the person's traces are cleared. */
export const LAST_CALL = 45;
/** Milliseconds the last save may take before the session is locked without it. */
const LAST_SAVE = 5000;

export const FLOW: InjectionKey<Flow> = Symbol('flow');
export type Flow = ReturnType<typeof createFlow>;

export function useFlow(): Flow {
  const flow = inject(FLOW);
  if (!flow) throw new Error('no flow provided');
  return flow;
}

function asProblem(reason: unknown): Problem {
  if (typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'string') {
    const args = 'args' in reason && typeof reason.args === 'object' && reason.args !== null ? reason.args : {};
    return { code: reason.code, args: args as Problem['args'] };
  }
  return { code: 'window', args: {} };
}

const STEPS: Screen[] = ['person', 'procedure', 'scan', 'readback'];

export function createFlow(host: Host) {
  const state: State = reactive({
    screen: 'unlock', lang: 'fr', nextLang: 'fr', boot: null, session: null, home: null, outbox: null,
    endOfDay: null, media: [], exported: null, delivered: null,
    visit: null, paper: null, problem: null, busy: false, lastCall: null, goTo: null,
  });
  let saveTimer: ReturnType<typeof setTimeout> | undefined;
  let lookTimer: ReturnType<typeof setTimeout> | undefined;
  let homeTimer: ReturnType<typeof setTimeout> | undefined;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let callTimer: ReturnType<typeof setInterval> | undefined;
  let saving: Promise<void> = Promise.resolve();
  let edits = 0;
  /** How often somebody has left. */
  let left = 0;

  /** Runs one act at a time; a refusal is shown and the screen stays. */
  async function run(act: () => Promise<void>): Promise<void> {
    if (state.busy) return;
    state.busy = true;
    state.problem = null;
    const before = left;
    try {
      await act();
    } catch (reason) {
      if (left === before) state.problem = asProblem(reason);
    } finally {
      // An answer that comes to an empty chair brings nothing back on the screen, whoever sits there now.
      if (left === before) state.busy = false;
      else if (state.session) await leave();
      else forget();
    }
  }

  function show(screen: Screen): void {
    clearTimeout(lookTimer);
    clearTimeout(homeTimer);
    state.screen = screen;
    if (screen === 'home') homeTimer = setTimeout(lookHome, HOME_EVERY);
  }

  // ---- saving -------------------------------------------------------------------------

  function edited(): void {
    const visit = state.visit;
    if (!visit) return;
    edits += 1;
    visit.saved = false;
    clearTimeout(saveTimer);
    saveTimer = setTimeout(() => {
      void save().catch((reason: unknown) => { state.problem = asProblem(reason); });
    }, SAVE_AFTER);
  }

  function save(): Promise<void> {
    clearTimeout(saveTimer);
    // Of now: who leaves takes the visit off the screen before it is saved.
    const visit = state.visit;
    const next = saving.catch(() => undefined).then(async () => {
      if (!visit || visit.saved) return;
      const edit = edits;
      const view = await host.saveDraft(visit.id, JSON.parse(JSON.stringify(visit.fields)) as DraftFields);
      if (state.visit !== visit) return;
      // What was typed meanwhile stands: only the judgement is taken over, never the fields.
      visit.problems = view.problems;
      visit.renewal = view.renewal;
      visit.second = view.second;
      visit.saved = view.saved && edit === edits;
      if (!visit.saved && edit !== edits) edited();
    });
    saving = next;
    return next;
  }

  async function flush(): Promise<void> {
    await save();
  }

  // ---- visits -------------------------------------------------------------------------

  function take(view: DraftView): void {
    state.visit = {
      id: view.visit, fields: view.fields, problems: view.problems, renewal: view.renewal, second: view.second, pages: view.pages, scanning: false, saved: view.saved,
      party: view.fields.party, tried: false, readBack: null, date: null, print: null, declared: false, corrected: false,
    };
    touched();
  }

  function current(): Visit {
    if (!state.visit) throw { code: 'no_visit', args: {} };
    return state.visit;
  }

  function clearVisit(): void {
    clearTimeout(saveTimer);
    clearTimeout(lookTimer);
    clearTimeout(idleTimer);
    clearInterval(callTimer);
    state.visit = null;
    state.paper = null;
    state.lastCall = null;
    state.goTo = null;
  }

  async function toHome(): Promise<void> {
    state.home = await host.home();
    clearVisit();
    clearOutbox();
    show('home');
    touched();
  }

  async function lookHome(): Promise<void> {
    try {
      const home = await host.home();
      if (state.screen === 'home') state.home = home;
    } catch {
      // The next act tells what is wrong; a look in the background does not interrupt.
    }
    if (state.screen === 'home') homeTimer = setTimeout(lookHome, HOME_EVERY);
  }

  async function enter(screen: Screen): Promise<void> {
    const visit = state.visit;
    if (visit) await flush();
    if (visit && screen === 'readback') {
      visit.readBack = await host.readBack(visit.id);
      visit.problems = visit.readBack.problems;
      visit.tried = true;
    }
    if (visit && screen === 'date') visit.date = await host.date(visit.id);
    show(screen);
  }

  // ---- the outbox screen ----------------------------------------------------------------

  /** Names of people whose paper was not taken stand on it too. */
  function clearOutbox(): void {
    state.outbox = null;
    state.endOfDay = null;
    state.media = [];
    state.exported = null;
    state.delivered = null;
  }

  async function lookOutbox(outbox: OutboxView): Promise<void> {
    const [day, media] = [await host.endOfDay(), await host.media()];
    state.outbox = outbox;
    state.endOfDay = day;
    state.media = media;
  }

  // ---- printing -----------------------------------------------------------------------

  async function sendPrint(): Promise<void> {
    const visit = current();
    visit.print = await host.print(visit.id);
    lookLater();
  }

  function lookLater(): void {
    clearTimeout(lookTimer);
    const done = ['printed', 'failed', 'ask'];
    const print = state.visit?.print;
    if (state.screen === 'print' && print && !done.includes(print.state)) lookTimer = setTimeout(lookPrint, LOOK_EVERY);
  }

  async function lookPrint(): Promise<void> {
    const visit = state.visit;
    if (!visit || state.screen !== 'print') return;
    try {
      const view = await host.printStatus(visit.id);
      if (state.visit === visit) visit.print = view;
    } catch (reason) {
      state.problem = asProblem(reason);
    }
    lookLater();
  }

  // ---- idleness -----------------------------------------------------------------------

  function touched(): void {
    clearTimeout(idleTimer);
    clearInterval(callTimer);
    state.lastCall = null;
    const limit = state.boot?.idle_s ?? 0;
    // Names stand on the home screen too: whoever is unlocked is asked, visit or not.
    if (state.session && limit > 0) idleTimer = setTimeout(warn, limit * 1000);
  }

  function warn(): void {
    state.lastCall = LAST_CALL;
    callTimer = setInterval(() => {
      if (state.lastCall === null) return;
      state.lastCall -= 1;
      if (state.lastCall <= 0) void leave();
    }, 1000);
  }

  /** Takes the person and the session off the screen. */
  function forget(): void {
    clearVisit();
    state.session = null;
    state.home = null;
    clearOutbox();
    state.problem = null;
    show('unlock');
  }

  /** Forgets the person at once, whatever happens; what was typed last is saved before the core is locked. */
  async function leave(): Promise<void> {
    left += 1;
    const saved = flush().catch(() => undefined);
    forget();
    state.busy = true;
    let limit: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([saved, new Promise((resolve) => { limit = setTimeout(resolve, LAST_SAVE); })]);
    clearTimeout(limit);
    await host.lock().catch((reason: unknown) => { state.problem = asProblem(reason); });
    state.busy = false;
  }

  return {
    state,
    touched,
    edited,
    flush,

    // Words: the mediator's, and the person's.
    t: (key: string, args?: Args) => say(state.lang, key, args),
    p: (key: string, args?: Args) => say(personLang(), key, args),
    explain: (problem: Problem) => sayProblem(state.lang, problem),
    dirOf,
    personLang,

    start: () => run(async () => {
      state.boot = await host.boot();
      state.session = state.boot.session;
      if (state.session) await toHome();
    }),
    /** The vault does not open: a fresh one takes its place, and the counter goes on. */
    setAside: () => run(async () => {
      await host.setAside();
      state.boot = await host.boot();
    }),
    unlock: (mediator: string, pin: string) => run(async () => {
      // The core may have failed to open at start; ask it again rather than need a restart.
      state.boot ??= await host.boot();
      state.session = await host.unlock(mediator, pin);
      await toHome();
    }),
    lock: async () => { if (!state.busy) await leave(); },
    home: () => run(async () => { if (state.visit) await flush(); await toHome(); }),
    startVisit: () => run(async () => { take(await host.startVisit(state.nextLang)); show('person'); }),
    openVisit: (visit: string) => run(async () => {
      const view = await host.openVisit(visit);
      take(view);
      await enter(view.code ? 'date' : 'person');
    }),
    discard: () => run(async () => {
      const visit = current();
      clearTimeout(saveTimer);
      await saving.catch(() => undefined);
      await host.discardDraft(visit.id);
      await toHome();
    }),
    next: () => run(async () => {
      const at = STEPS.indexOf(state.screen);
      const to = STEPS[at + 1];
      if (at >= 0 && to) await enter(to);
    }),
    back: () => run(async () => {
      const to = STEPS[STEPS.indexOf(state.screen) - 1];
      if (to) await enter(to);
    }),
    goToField: (field: string) => run(async () => { state.goTo = field; await enter(screenOf(field)); }),
    /** Never through `run`: a scanner that is slow or hangs must not hold the counter. */
    scanPage: async () => {
      const visit = state.visit;
      if (state.busy || !visit || visit.scanning) return;
      visit.scanning = true;
      state.problem = null;
      try {
        await flush();
        const view = await host.scanPage(visit.id);
        visit.pages = view.pages;
      } catch (reason) {
        // Said to whoever still sees this visit, and to nobody else.
        const problem = asProblem(reason);
        if (state.visit === visit) state.problem = problem.code === 'already_kept' ? { code: 'page_too_late', args: {} } : problem;
      } finally {
        visit.scanning = false;
      }
    },
    removePage: (page: string) => run(async () => {
      const visit = current();
      visit.pages = (await host.removePage(visit.id, page)).pages;
    }),
    confirm: () => run(async () => {
      const visit = current();
      if (visit.problems.length > 0) throw { code: 'draft_incomplete', args: {} };
      visit.date = await host.confirm(visit.id);
      show('date');
    }),
    toPrint: () => run(async () => { show('print'); await sendPrint(); }),
    printAgain: () => run(sendPrint),
    answerPrint: (cameOut: boolean) => run(async () => {
      const visit = current();
      visit.print = await host.answerPrint(visit.id, cameOut);
      lookLater();
    }),
    followUp: () => run(async () => { show('followup'); }),
    /** Somebody on the list of people to tell has come, or is called. */
    openTold: (visit: string, lang: string) => run(async () => { await openOwn(visit, lang); show('followup'); }),
    /** Opens what a paper was issued for; nothing of the person was here before. */
    findPaper: (code: string, birth: BirthFields) => run(async () => {
      const found = await host.followUp(code, birth);
      if (found.visit) await openOwn(found.visit, found.lang);
      else state.paper = { shown: null, elsewhere: found.elsewhere, said: { code, birth }, answered: null, word: null, brought: false };
    }),
    /** Reads the paper in the scanner, or what a hand scanner sent. */
    showPaper: (text: string) => run(async () => {
      const shown = await host.showPaper(text);
      // At the door it is who came that matters, whoever made the paper.
      const here = shown.arrive !== null || shown.arrived_at !== null;
      if (shown.visit && shown.lang && shown.verdict !== 'replaced' && !here) await openOwn(shown.visit, shown.lang);
      else state.paper = { shown, elsewhere: null, said: null, answered: null, word: null, brought: false };
    }),
    arrive: () => run(async () => {
      const paper = state.paper;
      if (paper?.shown?.arrive) paper.shown = await host.arrive(paper.shown.arrive);
    }),
    bringPaper: () => run(async () => {
      const paper = state.paper;
      if (!paper?.shown?.door) return;
      await host.bringPaper(paper.shown.door, paper.shown.rebuild);
      paper.brought = true;
    }),
    openShown: () => run(async () => {
      const shown = state.paper?.shown;
      if (shown?.visit && shown.lang) await openOwn(shown.visit, shown.lang);
    }),
    /** Keeps the person's request; its answer comes with an exchange. */
    askEarlier: () => run(async () => {
      const visit = current();
      const advance = await host.askEarlier(visit.id);
      if (visit.date) visit.date.advance = advance;
    }),
    /** Printing returns once the page is out of the printer; nobody is told, or has it, by that. */
    printNotice: () => run(async () => { const visit = current(); visit.date = await host.printNotice(visit.id); }),
    handNotice: () => run(async () => { const visit = current(); visit.date = await host.handNotice(visit.id); }),
    printLimitLetter: () => run(async () => { const visit = current(); visit.date = await host.printLimitLetter(visit.id); }),
    handLimitLetter: () => run(async () => { const visit = current(); visit.date = await host.handLimitLetter(visit.id); }),
    /** The person is there and gives the appointment up. */
    cancel: () => run(async () => { const visit = current(); visit.date = await host.cancel(visit.id); }),
    /** The person will come: kept when it returns, and what was asked by telephone or mail is withdrawn. */
    sayComing: () => run(async () => { const visit = current(); visit.date = await host.sayComing(visit.id); }),
    reinstate: () => run(async () => { const visit = current(); visit.date = await host.reinstate(visit.id); }),
    /** Kept when it returns, with a new paper; what central offers shows beside it. */
    declareLimit: (limit: LimitFields) => run(async () => {
      const visit = current();
      visit.declared = false;
      visit.date = await host.declareLimit(visit.id, limit);
      visit.declared = true;
    }),
    /** Kept when it returns: the same date on a new paper, in the language said. */
    correct: (details: DetailFields) => run(async () => {
      const visit = current();
      visit.corrected = false;
      visit.date = await host.correct(visit.id, details);
      visit.fields.lang = visit.date.details.lang;
      visit.corrected = true;
    }),
    unlockSecond: (mediator: string, pin: string) => run(async () => {
      await flush();
      const visit = current();
      ({ problems: visit.problems, second: visit.second } = await host.unlockSecond(visit.id, mediator, pin));
    }),
    keepTransfer: () => run(async () => { const visit = current(); visit.date = await host.keepTransfer(visit.id); }),
    answerOffer: (accept: boolean) => run(async () => { const visit = current(); visit.date = await host.answerOffer(visit.id, accept); }),
    answerOfferElsewhere: (accept: boolean) => run(async () => {
      const paper = state.paper;
      const offer = paper?.elsewhere?.offer;
      if (!paper?.said || !paper.elsewhere || !offer) return;
      paper.answered = await host.answerOfferElsewhere(paper.said.code, { ...paper.said.birth }, offer.offer, accept);
      paper.elsewhere.slot_at = paper.answered.slot_at;
      paper.elsewhere.offer = null;
    }),
    /** Of another kiosk's paper. A document was seen where the word needs one: the touch says so. */
    sayElsewhere: (word: WordKind) => run(async () => { if (state.paper) await sayElsewhere(host, state.paper, word); }),
    /** `YYYY-MM-DD`, as the mediator says it; the home screen is shown anew. */
    declareToday: (day: string) => run(async () => { await host.declareToday(day); await toHome(); }),
    otherPaper: () => run(async () => { state.paper = null; }),
    reprint: () => run(async () => {
      const visit = current();
      visit.print = await host.reprint(visit.id);
      show('print');
      lookLater();
    }),
    toDone: () => run(async () => { show('done'); }),
    /** Ends the visit and begins the next one's, who comes with the person: what is known of both is filled in. */
    nextOfVisit: (samePerson: boolean) => run(async () => { take(await host.nextOfVisit(current().id, samePerson)); show('person'); }),
    finish: () => run(async () => { await host.finishVisit(current().id); await toHome(); }),
    outbox: () => run(async () => { await lookOutbox(await host.outbox()); show('outbox'); }),
    syncNow: () => run(async () => { await lookOutbox(await host.syncNow()); }),
    lookForMedia: () => run(async () => { state.media = await host.media(); }),
    exportTo: (medium: string) => run(async () => {
      state.exported = null;
      state.delivered = null;
      state.exported = await host.exportTo(medium);
      await lookOutbox(await host.outbox());
    }),
    deliverFrom: (medium: string, file: string) => run(async () => {
      state.exported = null;
      state.delivered = null;
      state.delivered = await host.deliverFrom(medium, file);
    }),

    setLang(lang: string): void { state.lang = lang; },
    setPersonLang(lang: string): void {
      state.nextLang = lang;
      const visit = state.visit;
      if (!visit) return;
      visit.fields.lang = lang;
      // Once there is a date the paper's language is fixed by the core; only the screen follows.
      if (!visit.date) edited();
    },
    /** The sentence beside a field, or none. An empty field is named only after a first read-back. */
    fieldProblem(field: string): string | null {
      const visit = state.visit;
      const found = visit?.problems.find((problem) => problem.field === field);
      if (!visit || !found || (!visit.tried && ['empty', 'limit_missing', 'evidence_missing', 'expiry_missing', 'relation_missing', 'unknown_procedure', 'unknown_right', 'unknown_nationality'].includes(found.code))) return null;
      const max = /^\d{4}-\d\d-\d\d$/.test(found.max) ? day(state.lang, found.max) : found.max;
      return sayProblem(state.lang, { code: found.code, args: { max } });
    },
    label: (field: string): string => say(state.lang, `field-${dash(field.replaceAll('.', '-'))}`),
  };

  async function openOwn(visit: string, lang: string): Promise<void> {
    state.paper = null;
    take({ visit, fields: emptyFields(lang), problems: [], pages: [], saved: true, code: null, renewal: null, second: null });
    current().date = await host.date(visit);
  }

  function personLang(): string {
    return state.visit?.fields.lang ?? state.nextLang;
  }

  function dirOf(lang: string): string {
    const shown = screenLang(lang);
    return state.boot?.languages.find((language) => language.code === shown)?.dir ?? (shown === 'ar' ? 'rtl' : 'ltr');
  }
}
