// What the window may ask of the core: the commands of app::contract, as one interface.
// Holds no behaviour; tauri.ts carries it, tests bring their own.
import type { BirthFields } from '../generated/BirthFields';
import type { AdvanceView } from '../generated/AdvanceView';
import type { Boot } from '../generated/Boot';
import type { DateView } from '../generated/DateView';
import type { DeliveryView } from '../generated/DeliveryView';
import type { DetailFields } from '../generated/DetailFields';
import type { DraftFields } from '../generated/DraftFields';
import type { DraftView } from '../generated/DraftView';
import type { EndOfDayView } from '../generated/EndOfDayView';
import type { ExportView } from '../generated/ExportView';
import type { FollowUpView } from '../generated/FollowUpView';
import type { HomeView } from '../generated/HomeView';
import type { LimitFields } from '../generated/LimitFields';
import type { OfferAnswerView } from '../generated/OfferAnswerView';
import type { MediumView } from '../generated/MediumView';
import type { OutboxView } from '../generated/OutboxView';
import type { PrintView } from '../generated/PrintView';
import type { ReadBackView } from '../generated/ReadBackView';
import type { SessionView } from '../generated/SessionView';
import type { ShownPaperView } from '../generated/ShownPaperView';
import type { WordKind } from '../generated/WordKind';
import type { WordView } from '../generated/WordView';

/** Every method rejects with a `Problem`. */
export interface Host {
  boot(): Promise<Boot>;
  setAside(): Promise<null>;
  unlock(mediator: string, pin: string): Promise<SessionView>;
  lock(): Promise<null>;
  home(): Promise<HomeView>;
  startVisit(lang: string): Promise<DraftView>;
  openVisit(visit: string): Promise<DraftView>;
  unlockSecond(visit: string, mediator: string, pin: string): Promise<DraftView>;
  saveDraft(visit: string, fields: DraftFields): Promise<DraftView>;
  discardDraft(visit: string): Promise<null>;
  scanPage(visit: string): Promise<DraftView>;
  removePage(visit: string, page: string): Promise<DraftView>;
  readBack(visit: string): Promise<ReadBackView>;
  confirm(visit: string): Promise<DateView>;
  date(visit: string): Promise<DateView>;
  print(visit: string): Promise<PrintView>;
  printStatus(visit: string): Promise<PrintView>;
  answerPrint(visit: string, cameOut: boolean): Promise<PrintView>;
  finishVisit(visit: string): Promise<null>;
  nextOfVisit(visit: string, samePerson: boolean): Promise<DraftView>;
  followUp(code: string, birth: BirthFields): Promise<FollowUpView>;
  showPaper(text: string): Promise<ShownPaperView>;
  arrive(door: string): Promise<ShownPaperView>;
  bringPaper(door: string, rebuild: string | null): Promise<null>;
  askEarlier(visit: string): Promise<AdvanceView>;
  cancel(visit: string): Promise<DateView>;
  reinstate(visit: string): Promise<DateView>;
  sayComing(visit: string): Promise<DateView>;
  printNotice(visit: string): Promise<DateView>;
  handNotice(visit: string): Promise<DateView>;
  printLimitLetter(visit: string): Promise<DateView>;
  handLimitLetter(visit: string): Promise<DateView>;
  declareLimit(visit: string, limit: LimitFields): Promise<DateView>;
  correct(visit: string, details: DetailFields): Promise<DateView>;
  keepTransfer(visit: string): Promise<DateView>;
  answerOffer(visit: string, accept: boolean): Promise<DateView>;
  answerOfferElsewhere(code: string, birth: BirthFields, offer: string, accept: boolean): Promise<OfferAnswerView>;
  sayElsewhere(code: string, birth: BirthFields, word: WordKind, slotAt: string | null, documentSeen: boolean): Promise<WordView>;
  /** `YYYY-MM-DD`. */
  declareToday(day: string): Promise<null>;
  reprint(visit: string): Promise<PrintView>;
  outbox(): Promise<OutboxView>;
  syncNow(): Promise<OutboxView>;
  endOfDay(): Promise<EndOfDayView>;
  media(): Promise<MediumView[]>;
  exportTo(medium: string): Promise<ExportView>;
  deliverFrom(medium: string, file: string): Promise<DeliveryView>;
}
