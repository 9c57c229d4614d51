// What the window holds, and its shapes: plain data, cleared by clearing `visit` and `paper`.
import type { PartyFields } from './generated/PartyFields';
import type { BirthFields } from './generated/BirthFields';
import type { Boot } from './generated/Boot';
import type { DateView } from './generated/DateView';
import type { DeliveryView } from './generated/DeliveryView';
import type { DraftFields } from './generated/DraftFields';
import type { ElsewhereView } from './generated/ElsewhereView';
import type { EndOfDayView } from './generated/EndOfDayView';
import type { ExportView } from './generated/ExportView';
import type { FieldProblem } from './generated/FieldProblem';
import type { HomeView } from './generated/HomeView';
import type { MediumView } from './generated/MediumView';
import type { OfferAnswerView } from './generated/OfferAnswerView';
import type { WordView } from './generated/WordView';
import type { OutboxView } from './generated/OutboxView';
import type { PageView } from './generated/PageView';
import type { PrintView } from './generated/PrintView';
import type { Problem } from './generated/Problem';
import type { ReadBackView } from './generated/ReadBackView';
import type { RenewalView } from './generated/RenewalView';
import type { SessionView } from './generated/SessionView';
import type { ShownPaperView } from './generated/ShownPaperView';

export type Screen = 'unlock' | 'home' | 'person' | 'procedure' | 'scan' | 'readback' | 'date' | 'print' | 'done' | 'followup' | 'outbox';

export interface Visit {
  id: string;
  fields: DraftFields;
  problems: FieldProblem[];
  /** Where today stands to the filing period of a renewal. */
  renewal: RenewalView | null;
  /** Who unlocked beside the mediator, for what the fields say. */
  second: string | null;
  pages: PageView[];
  /** True while the scanner is at work: everything else goes on meanwhile. */
  scanning: boolean;
  saved: boolean;
  /** True once a read-back was asked for: from then on empty fields are named too. */
  tried: boolean;
  readBack: ReadBackView | null;
  date: DateView | null;
  print: PrintView | null;
  /** Who comes with them, as the visit was begun. */
  party: PartyFields | null;
  /** True once a time limit was declared for a date that stood already. */
  declared: boolean;
  /** True once a detail was corrected. */
  corrected: boolean;
}

/** What came of a paper shown at this counter that is no visit here. */
export interface ShownPaper {
  shown: ShownPaperView | null;
  elsewhere: ElsewhereView | null;
  /** How the person was found elsewhere: an answer to an offer says it again. */
  said: { code: string; birth: BirthFields } | null;
  /** What became of an offer answered here. */
  answered: OfferAnswerView | null;
  /** What the person said here of their appointment, done. */
  word: WordView | null;
  /** True once it stands in this kiosk's journal. */
  brought: boolean;
}

export interface State {
  screen: Screen;
  lang: string;
  /** The next person's language, chosen on the home screen. */
  nextLang: string;
  boot: Boot | null;
  session: SessionView | null;
  home: HomeView | null;
  outbox: OutboxView | null;
  endOfDay: EndOfDayView | null;
  media: MediumView[];
  /** What was last written to a stick or carried from one, while the screen stands. */
  exported: ExportView | null;
  delivered: DeliveryView | null;
  visit: Visit | null;
  paper: ShownPaper | null;
  problem: Problem | null;
  busy: boolean;
  /** Seconds left before clearing, while the warning stands. */
  lastCall: number | null;
  /** A field to move to once its screen is shown. */
  goTo: string | null;
}
