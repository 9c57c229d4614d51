// Stories of the window over the in-memory host: what a mediator does, and what must hold.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp, nextTick, type App as VueApp } from 'vue';
import App from '../src/App.vue';
import { FLOW, LAST_CALL, createFlow, type Flow } from '../src/flow';
import { fakeHost, PIN, type Fake } from './fake';

let fake: Fake;
let flow: Flow;
let app: VueApp;

const one = <T extends HTMLElement>(selector: string): T => {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
};
const screen = () => one('main').dataset['screen'];
const settle = async () => { await vi.advanceTimersByTimeAsync(0); await nextTick(); };
async function press(action: string) {
  one<HTMLButtonElement>(`[data-action="${action}"]`).click();
  await settle();
}
async function type(name: string, value: string) {
  const input = one<HTMLInputElement>(`[name="${name}"]`);
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  input.dispatchEvent(new Event('change', { bubbles: true }));
  await settle();
}
async function choose(name: string, value: string) {
  one<HTMLInputElement>(`[name="${name}"][value="${value}"]`).click();
  await settle();
}
async function open(host: Fake) {
  fake = host;
  flow = createFlow(fake);
  app = createApp(App).provide(FLOW, flow);
  app.mount(one('#app'));
  await flow.start();
  await settle();
}
async function unlock() {
  await type('pin', PIN);
  await press('unlock');
}
async function fill() {
  await type('family_names', 'Benali');
  await type('given_names', 'Amélie');
  await type('birth.day', '3');
  await type('birth.month', '11');
  await type('birth.year', '1984');
  await type('nationality', 'DZA');
}
async function toReadBack() {
  await press('next');
  await choose('procedure', 'renewal');
  await press('next');
  await press('scan-page');
  await press('next');
}
async function toPrint() {
  await unlock();
  await press('start-visit');
  await fill();
  await toReadBack();
  await press('confirm');
  await press('next');
}

beforeEach(async () => {
  vi.useFakeTimers();
  document.body.innerHTML = '<div id="app"></div>';
  await open(fakeHost());
});
afterEach(() => {
  app.unmount();
  vi.useRealTimers();
});

describe('a visit', () => {
  it('goes from unlock to done and leaves nothing of the person', async () => {
    await unlock();
    expect(screen()).toBe('home');
    await press('start-visit');
    expect(screen()).toBe('person');
    expect(document.activeElement?.tagName).toBe('H1');
    await fill();
    await toReadBack();
    expect(screen()).toBe('readback');
    expect(fake.saved?.family_names).toBe('Benali');
    await press('confirm');
    expect(one('[data-role="date"]').dataset['slotAt']).toBe('2031-03-12T09:40');
    expect(one('[data-role="date"]').dataset['source']).toBe('lease');
    await press('next');
    expect(one('[data-role="print"]').dataset['state']).toBe('sent');
    await vi.advanceTimersByTimeAsync(500);
    expect(one('[data-role="print"]').dataset['state']).toBe('printed');
    await press('next');
    expect(screen()).toBe('done');
    await press('finish');
    expect(screen()).toBe('home');
    expect(flow.state.visit).toBeNull();
    expect(JSON.stringify(flow.state)).not.toContain('Benali');
    expect(document.body.innerHTML).not.toContain('Benali');
  });

  it('is saved by itself 300 ms after typing, and says so', async () => {
    await unlock();
    await press('start-visit');
    await type('family_names', 'Benali');
    expect(fake.saved).toBeNull();
    expect(one('[data-role="saved"]').dataset['state']).toBe('saving');
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.saved?.family_names).toBe('Benali');
    expect(one('[data-role="saved"]').dataset['state']).toBe('saved');
  });

  it('keeps what was typed while languages are switched, and mirrors', async () => {
    await unlock();
    await press('start-visit');
    await type('family_names', 'بن علي');
    one('[data-action="mediator-lang"][data-lang="ar"]').click();
    one('[data-action="person-lang"][data-lang="en"]').click();
    await settle();
    expect(one('main').dir).toBe('rtl');
    expect(document.documentElement.dir).toBe('rtl');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('بن علي');
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.saved).toMatchObject({ family_names: 'بن علي', lang: 'en' });
    one('[data-action="mediator-lang"][data-lang="fr"]').click();
    one('[data-action="person-lang"][data-lang="ar"]').click();
    await settle();
    await toReadBack();
    expect(one('main').dir).toBe('ltr');
    expect(one('[data-role="readback"]').dir).toBe('rtl');
  });

  it('beyond a full hour tells of the rank, the day at the latest and who looks, once in each language', async () => {
    fake.busy = true;
    await unlock();
    await press('start-visit');
    await fill();
    await toReadBack();
    await press('confirm');
    const told = one('[data-role="date"]');
    expect(told.dataset['slotAt']).toBe('');
    expect(told.dataset['noLaterThan']).toBe('2031-06-12T09:40');
    expect(told.querySelectorAll('[data-role="busy"]').length).toBe(told.querySelectorAll('.date').length);
    expect(told.textContent).toContain('la préfecture regarde, puis la date est donnée');
    expect(told.textContent).not.toContain('Aucune date libre ici');
  });

  it('names what is wrong beside the field and stops only the confirmation', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await type('birth.month', '14');
    await vi.advanceTimersByTimeAsync(300);
    expect(one('[name="birth.month"]').getAttribute('aria-describedby')).toContain('f-birth-month-problem');
    await toReadBack();
    expect(screen()).toBe('readback');
    await press('confirm');
    expect(screen()).toBe('readback');
    expect(document.querySelectorAll('[role="alert"]')).toHaveLength(1);
    one('[data-action="go-to-field"][data-field="birth.month"]').click();
    await settle();
    await settle();
    expect(screen()).toBe('person');
    expect(document.activeElement).toBe(one('[name="birth.month"]'));
  });
});

describe('a renewal', () => {
  const line = () => document.querySelector<HTMLElement>('[data-role="renewal"]');
  async function toCard() {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
  }
  async function ends(day: string) {
    await type('renewal.expires_on', day);
    await vi.advanceTimersByTimeAsync(300);
    await settle();
  }

  it('says from which day it is filed, that it is in time, or that it is late', async () => {
    await toCard();
    expect(line()).toBeNull();
    expect(one<HTMLInputElement>('[name="renewal.regime"]:checked').value).toBe('unknown');
    await ends('31/12/2031');
    expect(fake.saved?.renewal).toEqual({ expires_on: '2031-12-31', regime: '' });
    expect(line()?.dataset).toMatchObject({ standing: 'too_early', day: '2031-10-31' });
    expect(line()?.textContent).toContain('vendredi 31 octobre 2031');
    expect(document.querySelector('[data-role="renewal-uncertain"]')).not.toBeNull();
    await choose('renewal.regime', 'other');
    await vi.advanceTimersByTimeAsync(300);
    await settle();
    expect(fake.saved?.renewal?.regime).toBe('other');
    expect(document.querySelector('[data-role="renewal-uncertain"]')).toBeNull();
    await ends('30/04/2031');
    expect(line()?.dataset['standing']).toBe('in_time');
    await ends('28/02/2031');
    expect(line()?.dataset['standing']).toBe('late');
    expect(line()?.textContent).toContain('vendredi 28 février 2031');
    await ends('');
    expect(line()).toBeNull();
  });

  it('too early for any date names the day to come back, and keeps what was typed', async () => {
    await toCard();
    await ends('31/12/2033');
    const problem = one(`#${one('[name="renewal.expires_on"]').getAttribute('aria-describedby')?.split(' ').at(-1) ?? ''}`);
    expect(problem.textContent).toContain('mardi 30 novembre 2032');
    await press('next');
    await press('next');
    expect(screen()).toBe('readback');
    one('[data-action="go-to-field"][data-field="renewal.expires_on"]').click();
    await settle();
    await settle();
    expect(screen()).toBe('procedure');
    expect(one<HTMLInputElement>('[name="renewal.expires_on"]').value).toBe('2033-12-31');
  });

  it('that waits for its day says so beside the date', async () => {
    await toCard();
    await ends('31/12/2031');
    await press('next');
    await press('next');
    await press('confirm');
    expect(one('[data-role="opens"]').textContent).toContain('vendredi 31 octobre 2031');
  });

  it('is no other procedure', async () => {
    await toCard();
    await ends('31/12/2031');
    await choose('procedure', 'duplicate');
    expect(document.querySelector('[name="renewal.expires_on"]')).toBeNull();
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.saved).toMatchObject({ procedure: 'duplicate', renewal: null });
  });
});

describe('people of one visit', () => {
  /** From the procedure to the end of the visit, with a look at the date. */
  async function toDone(look: () => void = () => undefined) {
    await press('next');
    await press('next');
    await press('confirm');
    look();
    await press('next');
    await vi.advanceTimersByTimeAsync(2000);
    await settle();
    await press('next');
  }

  it('are registered one after the other, with what they share filled in', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    expect(one<HTMLInputElement>('[name="together"]').checked).toBe(false);
    one<HTMLInputElement>('[name="together"]').click();
    await settle();
    expect(one<HTMLInputElement>('[name="party.people"]').value).toBe('2');
    // Another number is typed: the field stays while it is empty.
    await type('party.people', '');
    await type('party.people', '3');
    expect(document.querySelector('[data-role="ahead"]'), 'nobody of them is moved alone without asking').toBeNull();
    await toDone();
    await press('next-person');
    expect(document.querySelector('main')?.dataset.screen).toBe('person');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('Benali');
    expect(one<HTMLInputElement>('[name="given_names"]').value).toBe('');
    await fill();
    await press('next');
    expect(one('[data-role="party-with"]').textContent).toContain('JLN-7K2M-QX4T');
    expect(one<HTMLInputElement>('[name="party.people"]').value).toBe('2');
    await choose('procedure', 'renewal');
    await toDone(() => { expect(one('[data-role="beside"]').textContent).toMatch(/12 mars 2031.*9.h.20/); });
    await press('next-procedure');
    expect(one<HTMLInputElement>('[name="given_names"]').value).toBe('Amélie');
    await press('next');
    expect(one<HTMLInputElement>('[name="party.people"]').value).toBe('1');
    one<HTMLInputElement>('[name="together"]').click();
    await vi.advanceTimersByTimeAsync(300);
    await settle();
    expect(fake.saved?.party, 'alone after all').toBeNull();
    expect(document.querySelector('[name="procedure"]:checked')).toBeNull();
  });

  it('says when they are not received on one day', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    fake.beside = ['2031-03-04T09:20'];
    await toDone(() => { expect(one('[data-role="apart"]').textContent).not.toBe(''); });
  });
});

describe('another site of the département', () => {
  it('is no question where there is none', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    expect(document.querySelector('[data-role="department"]')).toBeNull();
  });

  it('is never found chosen, excludes company, and is said with the date', async () => {
    app.unmount();
    await open(fakeHost({ nearby: ['Sous-préfecture du Raincy'] }));
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    const wide = () => document.querySelector<HTMLInputElement>('[name="department_wide"]');
    expect(wide()?.checked).toBe(false);
    expect(one('[data-role="department"]').textContent).toContain('Le Raincy'.slice(3));
    one<HTMLInputElement>('[name="together"]').click();
    await settle();
    expect(wide(), 'who comes together is received here').toBeNull();
    one<HTMLInputElement>('[name="together"]').click();
    await settle();
    wide()?.click();
    await press('next');
    expect(fake.saved?.department_wide).toBe(true);
    await press('next');
    await press('confirm');
    expect(one('[data-role="elsewhere"]').textContent).not.toBe('');
    expect(one('[data-role="address"]').textContent).toBe('57 avenue Thiers, 93340 Le Raincy');
  });
});

describe('an earlier day accepted in advance', () => {
  it('is chosen, never found chosen, and taken back by the same touch', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    expect(one<HTMLInputElement>('[name="ahead"]').checked).toBe(false);
    expect(document.querySelector('[name="accepts_earlier"]')).toBeNull();
    expect(one('#ahead-help').textContent).not.toBe('');
    one<HTMLInputElement>('[name="ahead"]').click();
    await settle();
    expect(one<HTMLInputElement>('[name="accepts_earlier"]').value).toBe('14');
    // Another number is typed: the field stays while it is empty.
    await type('accepts_earlier', '');
    await type('accepts_earlier', '21');
    await press('next');
    expect(fake.saved?.accepts_earlier).toBe('21');
    await press('back');
    expect(one<HTMLInputElement>('[name="ahead"]').checked).toBe(true);
    one<HTMLInputElement>('[name="ahead"]').click();
    await settle();
    await press('next');
    expect(fake.saved?.accepts_earlier).toBe('');
  });
});

describe('a person who comes from another site', () => {
  it('has the code of that paper typed, and it is taken back by the same touch', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    expect(one<HTMLInputElement>('[name="has-moved"]').checked).toBe(false);
    expect(document.querySelector('[name="moved"]')).toBeNull();
    one<HTMLInputElement>('[name="has-moved"]').click();
    await settle();
    await type('moved', '7k3q 9mzt 4xw2 p');
    await press('next');
    expect(fake.saved?.moved).toBe('7k3q 9mzt 4xw2 p');
    await press('back');
    expect(one<HTMLInputElement>('[name="has-moved"]').checked).toBe(true);
    one<HTMLInputElement>('[name="has-moved"]').click();
    await settle();
    await press('next');
    expect(fake.saved?.moved).toBe('');
  });
});

describe('a person whose name has changed since', () => {
  const asked = async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    one<HTMLInputElement>('[name="has-moved"]').click();
    await settle();
    await type('moved', '7k3q 9mzt 4xw2 p');
    expect(document.querySelector('[name="second-pin"]'), 'not before it is said').toBeNull();
    one<HTMLInputElement>('[name="renamed"]').click();
    await settle();
  };

  it('takes a second mediator beside the first, who is never the first', async () => {
    app.unmount();
    await open(fakeHost({ mediators: [{ id: 'demo', name: 'Camille Durand' }, { id: 'other', name: 'Dominique Petit' }] }));
    await asked();
    expect([...one<HTMLSelectElement>('[name="second"]').options].map((option) => option.value)).toEqual(['other']);
    await type('second-pin', '1');
    await press('unlock-second');
    expect(one('[role="alert"]').dataset['code']).toBe('bad_pin');
    expect(one<HTMLInputElement>('[name="second-pin"]').value, 'no PIN stays').toBe('');
    await type('second-pin', PIN);
    await press('unlock-second');
    expect(one('[data-role="second"]').textContent).toContain('Dominique Petit');
    expect(fake.saved).toMatchObject({ renamed: true, moved: '7k3q 9mzt 4xw2 p' });
    await press('next');
    await press('back');
    expect(one('[data-role="second"]').textContent, 'while they are here').toContain('Dominique Petit');
    one<HTMLInputElement>('[name="has-moved"]').click();
    await settle();
    await press('next');
    expect(fake.saved).toMatchObject({ renamed: false, moved: '' });
  });

  it('is told what to do where there is no second mediator', async () => {
    await asked();
    expect(document.querySelector('[name="second-pin"]')).toBeNull();
    expect(one('[data-role="second-none"]').textContent).toContain('deux');
  });
});

describe('refusals', () => {
  it('show one sentence, and the PIN does not stay', async () => {
    await type('pin', '1');
    await press('unlock');
    expect(one('[role="alert"]').dataset['code']).toBe('bad_pin');
    expect(one<HTMLInputElement>('[name="pin"]').value).toBe('');
    await unlock();
    expect(document.querySelector('[role="alert"]')).toBeNull();
  });

  it('name a code nobody has a sentence for', async () => {
    fake.refuse.set('unlock', 'brand_new');
    await unlock();
    expect(one('[role="alert"]').textContent).toContain('brand_new');
  });

  it('of a core that did not open are shown on the unlock screen', async () => {
    app.unmount();
    const broken = fakeHost();
    broken.refuse.set('boot', 'vault_key_missing');
    await open(broken);
    expect(screen()).toBe('unlock');
    expect(one('[role="alert"]').dataset['code']).toBe('vault_key_missing');
  });
});

describe('a vault that does not open', () => {
  it('can be set aside, and the counter goes on', async () => {
    app.unmount();
    const broken = fakeHost();
    broken.refuse.set('boot', 'vault_damaged');
    await open(broken);
    await press('set-aside');
    await settle();
    expect(document.querySelector('[role="alert"]')).toBeNull();
    expect(document.querySelector('[data-action="set-aside"]')).toBeNull();
    expect(document.querySelectorAll('[name="mediator"] option').length).toBeGreaterThan(0);
  });
});

describe('paper', () => {
  it('is asked about once when nobody can tell', async () => {
    fake.printer = ['ask'];
    await toPrint();
    expect(one('[data-role="print"]').dataset['state']).toBe('ask');
    await press('came-out-yes');
    expect(one('[data-role="print"]').dataset['state']).toBe('printed');
    expect(document.querySelector('[data-action="came-out-yes"]')).toBeNull();
    expect(fake.calls.filter((name) => name === 'answer_print')).toHaveLength(1);
  });

  it('that never came though the printer says so is told, once', async () => {
    await toPrint();
    await vi.advanceTimersByTimeAsync(1000);
    expect(one('[data-role="print"]').dataset['state']).toBe('printed');
    await press('nothing-came');
    expect(one('[data-role="print"]').dataset['state']).toBe('failed');
    expect(one('[data-action="print-again"]')).toBeTruthy();
    expect(document.querySelector('[data-action="nothing-came"]')).toBeNull();
  });

  it('that does not come leaves a code to copy and a way on', async () => {
    fake.refuse.set('print', 'no_printer');
    await toPrint();
    expect(one('[data-role="code-large"]').textContent).toContain('JLN-7K2M-QX4T');
    expect(one('[data-action="print-again"]')).toBeTruthy();
    await press('next');
    expect(screen()).toBe('done');
  });
});

describe('a paper shown at this counter', () => {
  const followUp = async () => { await unlock(); await press('followup'); };

  it('of another kiosk is told as central says, and of whom it tells nothing more', async () => {
    await followUp();
    await type('code', 'E');
    await press('find-paper');
    expect(one('[data-role="elsewhere"]').dataset['slotAt']).toBe('2027-05-03T10:20');
    await press('other-paper');
    expect(one('[name="code"]')).toBeTruthy();
  });

  it('of another kiosk has an earlier date, which is taken here', async () => {
    await followUp();
    await type('code', 'E');
    await press('find-paper');
    expect(one('[data-role="offer"]').dataset['slotAt']).toBe('2027-04-02T09:00');
    await press('accept-offer');
    expect(one('[data-role="answered"]').dataset['accepted']).toBe('true');
    expect(one('[data-role="elsewhere"]').dataset['slotAt']).toBe('2031-03-07T09:00');
    expect(document.querySelector('[data-role="offer"]')).toBeNull();
  });

  it('of another kiosk is given up and taken back here once a document was seen', async () => {
    await followUp();
    await type('code', 'E');
    await press('find-paper');
    await press('cancel-elsewhere');
    await press('document-no');
    expect(fake.calls).not.toContain('say_elsewhere');
    await press('cancel-elsewhere');
    await press('document-yes');
    expect(one('[data-role="elsewhere-word"]').dataset).toMatchObject({ word: 'cancel', until: '2031-04-03' });
    expect(one('[data-role="elsewhere"]').dataset['slotAt']).toBe('');
    expect(document.querySelector('[data-role="offer"]')).toBeNull();
    await press('take-back-elsewhere');
    fake.refuse.set('say_elsewhere', 'word_offline');
    await press('document-yes');
    expect(one('[role="alert"]').textContent).toContain('Le service central ne répond pas');
    await press('take-back-elsewhere');
    fake.refuse.set('say_elsewhere', 'word_transferred');
    await press('document-yes');
    expect(one('[role="alert"]').textContent).toContain('La personne a déménagé');
    await press('take-back-elsewhere');
    await press('document-yes');
    expect(one('[data-role="elsewhere"]').dataset['slotAt']).toBe('2027-05-03T10:20');
    expect(one('[data-action="cancel-elsewhere"]')).toBeTruthy();
  });

  it('says that somebody cancels by the telephone, and one touch withdraws it, here and elsewhere', async () => {
    fake.cancelAsked = { channel: 'phone', at: '2031-03-04T09:00', due: '2031-03-05T09:00' };
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    expect(one('[data-role="cancel-asked"]').dataset).toMatchObject({ channel: 'phone', due: '2031-03-05T09:00' });
    expect(one('[data-role="date"]').dataset['slotAt']).not.toBe('');
    await press('coming');
    expect(fake.calls).toContain('say_coming');
    expect(document.querySelector('[data-role="cancel-asked"]')).toBeNull();
    await press('home');
    await press('followup');
    await type('code', 'E');
    await press('find-paper');
    await press('coming');
    expect(fake.calls).toContain('say_elsewhere');
    expect(document.querySelector('[data-role="cancel-asked"]')).toBeNull();
    expect(one('[data-role="coming"]').textContent).not.toBe('');
  });

  it('asks of a far date whether the person comes, with one touch, here and elsewhere', async () => {
    fake.reconfirm = { until: '2031-03-20', said: false };
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    expect(one('[data-role="reconfirm"]').dataset).toMatchObject({ said: 'false', until: '2031-03-20' });
    expect(one('[data-action="cancel"]')).toBeTruthy();
    await press('reconfirm');
    expect(one('[data-role="reconfirm"]').dataset['said']).toBe('true');
    expect(document.querySelector('[data-action="reconfirm"]')).toBeNull();
    await press('home');
    await press('followup');
    await type('code', 'E');
    await press('find-paper');
    await press('reconfirm');
    expect(one('[data-role="reconfirm"]').dataset['said']).toBe('true');
  });

  it('of this kiosk is cancelled only when asked twice, and taken back', async () => {
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    await press('decline-offer');
    expect(document.querySelector('[data-role="offer"]')).toBeNull();
    await press('cancel');
    await press('cancel-no');
    expect(fake.calls).not.toContain('cancel');
    await press('cancel');
    await press('cancel-yes');
    expect(one('[data-role="cancelled"]').dataset['returning']).toBe('false');
    expect(document.querySelector('[data-action="reprint"]')).toBeNull();
    await press('reinstate');
    expect(one('[data-role="cancelled"]').dataset['returning']).toBe('true');
  });

  it('of this kiosk takes a time limit learnt later, and shows what is offered', async () => {
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    await press('decline-offer');
    await press('limit');
    await press('limit-no');
    expect(fake.calls).not.toContain('declare_limit');
    await press('limit');
    await choose('limit.right', 'protection_order');
    expect(document.querySelector('[name="limit.days"]')).toBeNull();
    await type('limit.last_day', '31/12/2031');
    await type('limit.evidence', 'TJ 31/00123');
    fake.refuse.set('declare_limit', 'limit_passed');
    await press('limit-yes');
    expect(one('[role="alert"]').textContent).not.toBe('');
    expect(one<HTMLInputElement>('[name="limit.evidence"]').value).toBe('TJ 31/00123');
    expect(document.querySelector('[data-role="limit-kept"]')).toBeNull();
    await press('limit-yes');
    expect(fake.limit).toEqual({ right: 'protection_order', last_day: '2031-12-31', days: '', evidence: 'TJ 31/00123' });
    expect(one('[data-role="limit"]').dataset['limit']).toBe('2031-12-31');
    expect(one('[data-role="limit-kept"]').textContent).not.toBe('');
    expect(document.querySelector('[name="limit.evidence"]')).toBeNull();
    expect(one('[data-role="offer"]').dataset['slotAt']).toBe('2031-03-06T09:00');
    await press('reprint');
    expect(screen()).toBe('print');
  });

  it('of this kiosk is corrected from what stands, and prints anew in the language said', async () => {
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    await press('correct');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('DIALO');
    expect(one<HTMLSelectElement>('[name="nationality"]').value).toBe('MAR');
    await type('family_names', 'TRAORÉ');
    await press('correct-no');
    expect(fake.calls).not.toContain('correct');
    await press('correct');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('DIALO');
    await type('family_names', 'DIALLO');
    await type('birth.day', '4');
    one('[data-action="correct-lang"][data-lang="en"]').click();
    fake.refuse.set('correct', 'correction_name');
    await press('correct-yes');
    expect(one('[role="alert"]').dataset['code']).toBe('correction_name');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('DIALLO');
    expect(document.querySelector('[data-role="corrected"]')).toBeNull();
    await press('correct-yes');
    expect(fake.corrected).toEqual({ family_names: 'DIALLO', given_names: 'Awa', birth: { form: 'whole', day: '4', month: '3', year: '1991' }, nationality: 'MAR', lang: 'en' });
    expect(one('[data-role="corrected"]').textContent).not.toBe('');
    expect(document.querySelector('[name="family_names"]')).toBeNull();
    expect(one('[data-role="date"]').dataset['slotAt']).toBe('2031-03-12T09:40');
    await press('correct');
    expect(one<HTMLInputElement>('[name="family_names"]').value).toBe('DIALLO');
    expect(one('[data-action="correct-lang"][aria-pressed="true"]').dataset['lang']).toBe('en');
    await press('reprint');
    expect(screen()).toBe('print');
  });

  it('whose person is to be told of an earlier date is opened from the home screen', async () => {
    fake.toTell = [{ kind: 'offer', visit: 'v1', lang: 'fr', name: 'KONÉ Moussa', phone: '+33 6 00 00 00 00', slot_at: '2031-03-07T09:00', until: '2031-03-05' }];
    await unlock();
    expect(one('[data-role="to-tell"]').textContent).toContain('KONÉ Moussa');
    await press('open-told');
    expect(screen()).toBe('followup');
  });

  it('of somebody who moved has two appointments until they keep one, asked twice', async () => {
    fake.transfer = { state: 'both', since: '2030-11-02T10:15', site: 'Préfecture de Lyon', earlier_at: '2031-06-02T11:00', zone: 'Europe/Paris' };
    fake.toTell = [{ kind: 'transfer', visit: 'v1', lang: 'fr', name: 'KONÉ Moussa', phone: null, slot_at: '2031-03-12T09:40', until: '2031-03-12' }];
    await unlock();
    expect(one('[data-role="to-tell"] [data-kind="transfer"]').textContent).toContain('KONÉ Moussa');
    await press('followup');
    await type('code', 'JLN');
    await press('find-paper');
    const card = () => one('[data-role="transfer"]');
    expect(card().dataset['state']).toBe('both');
    expect(card().dataset['earlierAt']).toBe('2031-06-02T11:00');
    for (const said of ['guichet 2', 'Préfecture de Lyon', '12 mars 2031', '2 juin 2031', '2 novembre 2030']) expect(card().textContent).toContain(said);
    // The other way is the cancellation beneath it.
    expect(document.querySelector('[data-role="cancel"] [data-action="cancel"]')).not.toBeNull();
    await press('keep-transfer');
    await press('keep-transfer-no');
    expect(fake.calls).not.toContain('keep_transfer');
    await press('keep-transfer');
    await press('keep-transfer-yes');
    expect(fake.calls).toContain('keep_transfer');
    expect(card().dataset['state']).toBe('keeping');
    expect(document.querySelector('[data-action="keep-transfer"]')).toBeNull();
    expect(one('[data-role="date"]').dataset['slotAt'], 'the date here is not touched').toBe('2031-03-12T09:40');
  });

  it('whose place is at another site now says where', async () => {
    fake.cancelled = { at: '2031-03-04T10:00', until: '2031-04-03', returning: false, annulled: false, elsewhere: 'Préfecture de Lyon' };
    fake.toTell = [{ kind: 'offer', visit: 'v1', lang: 'fr', name: 'KONÉ Moussa', phone: null, slot_at: '2031-03-07T09:00', until: '2031-03-05' }];
    await unlock();
    await press('open-told');
    expect(one('[data-role="elsewhere"]').textContent).toContain('Préfecture de Lyon');
    expect(document.querySelector('[data-role="transfer"]')).toBeNull();
  });

  it('that may be annulled tells the person on paper, and no screen holds the reasons', async () => {
    fake.annulment = { until: '2031-03-18', printed: false, told_at: null };
    fake.toTell = [{ kind: 'annulment', visit: 'v1', lang: 'fr', name: 'KONÉ Moussa', phone: null, slot_at: '2031-03-27T09:00', until: '2031-03-18' }];
    await unlock();
    expect(one('[data-role="to-tell"] [data-kind="annulment"]').textContent).toContain('KONÉ Moussa');
    await press('open-told');
    expect(one('[data-role="annulment"]').dataset['until']).toBe('2031-03-18');
    expect(document.querySelector('[data-action="hand-notice"]')).toBeNull();
    expect(document.querySelector('[data-action="reprint"]')).not.toBeNull();
    fake.refuse.set('print_notice', 'notice_not_out');
    await press('print-notice');
    expect(one('[role="alert"]').textContent).not.toBe('');
    expect(document.querySelector('[data-action="hand-notice"]')).toBeNull();
    await press('print-notice');
    expect(document.querySelector('[data-role="annulment-told"]')).toBeNull();
    await press('hand-notice');
    expect(one('[data-role="annulment-told"]').textContent).not.toBe('');
    expect(document.querySelector('[data-action="hand-notice"]')).toBeNull();
  });

  it('after a time limit hands a letter over: told only by central, printed and handed over apart', async () => {
    fake.limitLetter = { told_at: null, printed: false, handed_at: null };
    await followUp();
    await type('code', 'JLN');
    await press('find-paper');
    expect(one('[data-role="limit-told"]').dataset['told']).toBe('');
    const untold = one('[data-role="limit-told"]').textContent;
    expect(document.querySelector('[data-action="hand-limit-letter"]')).toBeNull();
    fake.refuse.set('print_limit_letter', 'notice_not_out');
    await press('print-limit-letter');
    expect(one('[role="alert"]').textContent).not.toBe('');
    expect(one('[data-role="limit-letter"]').dataset['printed']).toBe('false');
    await press('print-limit-letter');
    expect(one('[data-role="limit-letter"]').dataset['printed']).toBe('true');
    expect(one('[data-role="limit-told"]').textContent).not.toBe(untold);
    expect(document.querySelector('[data-role="limit-letter-handed"]')).toBeNull();
    await press('hand-limit-letter');
    expect(one('[data-role="limit-letter-handed"]').textContent).not.toBe('');
    expect(document.querySelector('[data-action="hand-limit-letter"]')).toBeNull();
  });

  it('that was annulled cannot be taken back at the counter', async () => {
    await followUp();
    await type('code', 'JLN');
    fake.cancelled = { at: '2031-03-04T10:00', until: null, returning: false, annulled: true, elsewhere: null };
    await press('find-paper');
    expect(one('[data-role="annulled"]').textContent).not.toBe('');
    expect(document.querySelector('[data-action="reinstate"]')).toBeNull();
    expect(document.querySelector('[data-action="reprint"]')).toBeNull();
    expect(document.querySelector('[data-action="cancel"]')).toBeNull();
  });

  it('that is good today says that its person came, once', async () => {
    fake.expected = 'JALON1.A';
    await followUp();
    await press('show-paper');
    expect(document.querySelector('[data-role="arrived"]')).toBeNull();
    await press('arrive');
    expect(one('[data-role="arrived"]').textContent).toMatch(/10.*11/);
    expect(document.querySelector('[data-action="arrive"]')).toBeNull();
    expect(fake.calls.filter((name) => name === 'arrive')).toHaveLength(1);
  });

  it('of another day has nobody come', async () => {
    await followUp();
    await press('show-paper');
    expect(document.querySelector('[data-action="arrive"]')).toBeNull();
  });

  it('of a lost kiosk is sent on once', async () => {
    await followUp();
    await press('show-paper');
    expect(one('[data-role="paper"]').dataset['verdict']).toBe('valid');
    await press('bring-paper');
    expect(one('[data-role="brought"]')).toBeTruthy();
    expect(document.querySelector('[data-action="bring-paper"]')).toBeNull();
    expect(fake.calls.filter((name) => name === 'bring_paper')).toHaveLength(1);
  });

  it('leaves nothing of the person behind an empty chair', async () => {
    await followUp();
    await press('show-paper');
    expect(JSON.stringify(flow.state)).toContain('TRAORÉ');
    await vi.advanceTimersByTimeAsync(120_000 + LAST_CALL * 1000);
    await settle();
    expect(screen()).toBe('unlock');
    expect(JSON.stringify(flow.state)).not.toContain('TRAORÉ');
  });
});

describe('a scanner that hangs', () => {
  it('never holds the counter: the visit goes on, the next one too', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    let answer = (): void => undefined;
    fake.hold.set('scan_page', new Promise((resolve) => { answer = resolve; }));
    await press('next');
    await choose('procedure', 'renewal');
    await press('next');
    await press('scan-page');
    expect(one<HTMLButtonElement>('[data-action="scan-page"]').disabled).toBe(true);
    await press('next');
    expect(screen()).toBe('readback');
    await press('confirm');
    expect(screen()).toBe('date');
    fake.refuse.set('scan_page', 'already_kept');
    answer();
    await settle();
    expect(screen()).toBe('date');
    expect(one('[role="alert"]').dataset['code']).toBe('page_too_late');
  });

  it('says why there is no page', async () => {
    await unlock();
    await press('start-visit');
    await fill();
    await press('next');
    await choose('procedure', 'renewal');
    await press('next');
    fake.refuse.set('scan_page', 'scanner_unplugged');
    await press('scan-page');
    expect(one('[role="alert"]').dataset['code']).toBe('scanner_unplugged');
    expect(one<HTMLButtonElement>('[data-action="scan-page"]').disabled).toBe(false);
  });
});

describe('an empty chair', () => {
  it('is warned, then everything is cleared and locked', async () => {
    await unlock();
    await press('start-visit');
    await type('family_names', 'Benali');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(one('[role="alertdialog"]')).toBeTruthy();
    await vi.advanceTimersByTimeAsync(LAST_CALL * 1000);
    await settle();
    expect(screen()).toBe('unlock');
    expect(fake.calls).toContain('lock');
    expect(fake.saved?.family_names).toBe('Benali');
    expect(JSON.stringify(flow.state)).not.toContain('Benali');
  });

  it('is cleared at once though the last save hangs, and locked all the same', async () => {
    await unlock();
    await press('start-visit');
    await type('family_names', 'Benali');
    fake.hold.set('save_draft', new Promise(() => undefined));
    await press('lock');
    expect(screen()).toBe('unlock');
    expect(JSON.stringify(flow.state)).not.toContain('Benali');
    expect(document.body.innerHTML).not.toContain('Benali');
    expect(fake.calls).not.toContain('lock');
    await vi.advanceTimersByTimeAsync(5000);
    expect(fake.calls).toContain('lock');
  });

  it('gets nothing of the person back by an answer that comes late', async () => {
    await unlock();
    await press('followup');
    let answer = (): void => undefined;
    fake.hold.set('show_paper', new Promise((resolve) => { answer = resolve; }));
    await press('show-paper');
    await vi.advanceTimersByTimeAsync(120_000 + LAST_CALL * 1000);
    await settle();
    expect(screen()).toBe('unlock');
    answer();
    await settle();
    expect(screen()).toBe('unlock');
    expect(JSON.stringify(flow.state)).not.toContain('TRAORÉ');
    await unlock();
    expect(screen()).toBe('home');
  });

  it('is not empty when somebody answers', async () => {
    await unlock();
    await press('start-visit');
    await vi.advanceTimersByTimeAsync(120_000);
    await press('stay');
    expect(document.querySelector('[role="alertdialog"]')).toBeNull();
    expect(screen()).toBe('person');
  });
});

describe('the end of the day', () => {
  it('says what to do first, and the export that was written', async () => {
    await unlock();
    await press('outbox');
    expect(one('[data-role="end-of-day"]').dataset['maySwitchOff']).toBe('false');
    expect([...document.querySelectorAll<HTMLElement>('[data-first]')].map((item) => item.dataset['first'])).toEqual(['papers', 'export']);
    expect(one('[data-role="record"][data-state="set_aside"]').textContent).toContain("l'inscription à laquelle il se rapporte");
    // Whom to tell, and how: the paper they hold was replaced.
    const replaced = one('[data-role="replaced"]').textContent;
    expect(['Haddad Sami', '+33 6 12 34 56 78', 'JLN-3F8P-WW2C', 'depuis un jour'].filter((said) => !replaced.includes(said))).toEqual([]);
    await press('export-to');
    expect(one('[data-role="exported"]').textContent).toContain('CLE');
    expect([...document.querySelectorAll<HTMLElement>('[data-first]')].map((item) => item.dataset['first'])).toEqual(['papers']);
    await press('deliver-from');
    expect(document.querySelector('[data-role="exported"]')).toBeNull();
    expect(one('[data-role="delivered"]').dataset['refused']).toBe('0');
    expect(fake.calls).toContain('deliver_from');
  });
  it('claims no export that was refused, and forgets names on the way home', async () => {
    await unlock();
    await press('outbox');
    fake.refuse.set('export_to', 'export_full');
    await press('export-to');
    expect(document.querySelector('[data-role="exported"]')).toBeNull();
    expect(one('[role="alert"]').textContent).toContain('La place manque');
    await press('home');
    expect(flow.state.endOfDay).toBeNull();
  });
});

describe('a clock that is behind', () => {
  it('asks what day it is and sends it once, as a day', async () => {
    const host = fakeHost();
    host.todayFrom = '2031-03-04';
    const declared = vi.spyOn(host, 'declareToday');
    await open(host);
    await unlock();
    expect(one('[data-role="today"]').dataset['from']).toBe('2031-03-04');
    await type('today.day', '5');
    await type('today.month', '3');
    await type('today.year', '2031');
    one<HTMLFormElement>('[data-role="today"]').dispatchEvent(new Event('submit'));
    await settle();
    expect(declared).toHaveBeenCalledExactlyOnceWith('2031-03-05');
    expect(document.querySelector('[data-role="today"]')).toBeNull();
  });
});
