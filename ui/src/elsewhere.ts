// What a person says here of an appointment whose paper another kiosk made: asked of the core, and shown as it stands then.
import type { WordKind } from './generated/WordKind';
import type { Host } from './host/host';
import type { ShownPaper } from './state';

/** Says it; the paper shown is changed only once it is done. */
export async function sayElsewhere(host: Host, paper: ShownPaper, word: WordKind): Promise<void> {
  const { said, elsewhere } = paper;
  if (!said || !elsewhere) return;
  paper.word = null;
  const now = await host.sayElsewhere(said.code, { ...said.birth }, word, elsewhere.slot_at, word !== 'come');
  paper.word = now;
  elsewhere.slot_at = now.slot_at;
  elsewhere.until = now.until;
  elsewhere.cancel_asked = null;
  if (word === 'cancel') elsewhere.offer = null;
  if (word !== 'come') elsewhere.cancelled = word === 'cancel';
  else if (elsewhere.reconfirm) elsewhere.reconfirm = { ...elsewhere.reconfirm, said: true };
}
