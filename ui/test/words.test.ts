// Every sentence exists in every language with the same variables; none is missing, none unused.
import { parse, Resource, Visitor, type VariableReference } from '@fluent/syntax';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { day, dayTime, time } from '../src/words';

const ROOT = join(import.meta.dirname, '..');
const LANGS = ['fr', 'en', 'ar'];

function messages(lang: string, area: string): Map<string, string[]> {
  const resource: Resource = parse(readFileSync(join(ROOT, '../locales', lang, `${area}.ftl`), 'utf8'), {});
  const found = new Map<string, string[]>();
  for (const entry of resource.body) {
    if (entry.type === 'Junk') throw new Error(`${lang}/${area}.ftl does not parse: ${String((entry as { content?: string }).content)}`);
    if (entry.type !== 'Message') continue;
    const names = new Set<string>();
    const visitor = new (class extends Visitor {
      visitVariableReference(node: VariableReference) { names.add(node.id.name); }
    })();
    visitor.visit(entry);
    const id = (entry as { id: { name: string } }).id.name;
    if (found.has(id)) throw new Error(`${id} twice in ${lang}/${area}.ftl`);
    found.set(id, [...names].sort());
  }
  return found;
}

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.startsWith('generated'))
  .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
  .join('\n');

// Keys made from a value: the part before the value. What may follow is the contract's to say.
const PREFIXES = ['evidence-', 'procedure-', 'limit-', 'readback-', 'record-', 'record-state-', 'field-', 'unfinished-', 'connection-', 'source-', 'print-', 'birth-form-', 'relation-', 'notice-', 'verdict-', 'first-', 'advance-', 'renewal-', 'regime-', 'to-tell-', 'cancel-asked-'];

describe.each(['ui', 'errors', 'dates'])('%s.ftl', (area) => {
  const french = messages('fr', area);
  it.each(LANGS)('says the same things in %s', (lang) => {
    expect(Object.fromEntries(messages(lang, area))).toEqual(Object.fromEntries(french));
  });
});

describe('the screens', () => {
  const known = messages('fr', 'ui');
  it('use no sentence that does not exist', () => {
    const used = [...sources.matchAll(/(?:\b[tp]\(|say\([^,()]+, )'([a-z-]+)'/g)].map((match) => match[1] ?? '').filter((key) => !key.startsWith('error-'));
    expect(used.length).toBeGreaterThan(60);
    const dates = messages('fr', 'dates');
    expect(used.filter((key) => !known.has(key) && !dates.has(key))).toEqual([]);
  });
  it('leave no sentence unused', () => {
    const unused = [...known.keys()].filter((key) => !sources.includes(`'${key}'`) && !PREFIXES.some((prefix) => key.startsWith(prefix)));
    expect(unused).toEqual([]);
  });
  it('have a name for every key the contract makes', () => {
    const wanted = [
      ...['first-permit', 'renewal', 'duplicate', 'change-of-status', 'change-of-address', 'exceptional-admission', 'family-reunification', 'refugee-travel-document', 'naturalisation'].map((key) => `procedure-${key}`),
      ...['protection-order', 'court-injunction', 'permit-expiry', 'visa-expiry', 'attestation-expiry', 'birthday-18', 'birthday-19'].flatMap((key) => [`limit-${key}`, `evidence-${key}`]),
      ...['name', 'birth', 'birth-place', 'nationality', 'agdref', 'declared', 'representative', 'contact', 'procedure', 'limit', 'renewal', 'accepts-earlier', 'department-wide', 'moved', 'renamed', 'party', 'pages'].map((key) => `readback-${key}`),
      ...['registration', 'dated', 'incarnation', 'print', 'piece', 'release', 'paper', 'advance-request', 'cancellation', 'reinstatement', 'limit', 'correction', 'arrival', 'annulment-told', 'transfer', 'word'].map((key) => `record-${key}`),
      ...['waiting', 'held', 'applied', 'set-aside'].map((key) => `record-state-${key}`),
      ...['only-here', 'received', 'answered'].map((key) => `advance-${key}`),
      ...['online', 'lease', 'rank', 'busy'].map((key) => `source-${key}`),
      ...['online', 'offline', 'refused'].map((key) => `connection-${key}`),
      ...['not-sent', 'sent', 'printed', 'waiting', 'failed', 'ask'].map((key) => `print-${key}`),
      ...['quarantined', 'disk-older', 'central-forgot', 'central-newer', 'central-audit-back', 'vault-set-aside', 'dated-too-late', 'date-moved', 'date-earlier', 'date-missed', 'place-ended', 'place-given-up', 'place-transferred', 'place-annulled', 'annulment-undone', 'retired', 'kiosk-lost', 'central-other', 'storage-low', 'storage-full'].map((key) => `notice-${key}`),
      ...['valid', 'forged', 'replaced', 'cancelled', 'unknown-issuer', 'look-issued-later-than-now', 'look-kiosk-lost', 'unreadable'].map((key) => `verdict-${key}`),
      ...['too-early', 'limit-first', 'in-time', 'late'].map((key) => `renewal-${key}`),
      ...['listed', 'other', 'unknown'].map((key) => `regime-${key}`),
      ...['papers', 'send', 'export', 'storage'].map((key) => `first-${key}`),
      ...['draft', 'kept', 'printed', 'ask'].map((key) => `unfinished-${key}`),
      ...['offer', 'annulment', 'transfer', 'cancel-asked', 'reconfirm'].map((key) => `to-tell-${key}`),
      ...['phone', 'email'].map((key) => `cancel-asked-${key}`),
    ];
    expect(wanted.filter((key) => !known.has(key))).toEqual([]);
  });
});

describe('days and times', () => {
  it('are said as the paper says them', () => {
    expect(day('fr', '2027-03-01T09:05')).toBe('lundi 1er mars 2027');
    expect(day('en', '2027-01-12')).toBe('Tuesday 12 January 2027');
    expect(day('ar', '2027-01-12')).toBe('الثلاثاء 12 يناير 2027');
    expect(time('fr', '2027-03-01T09:05')).toBe('9\u00a0h\u00a005');
    expect(time('ar', '2027-03-01T14:20:59')).toBe('14:20');
    // No marks inside: a sentence around it must see that it begins with an Arabic letter.
    expect(dayTime('ar', '2027-05-03T10:20')).toMatch(/^\p{Script=Arabic}[^\u2066-\u2069]+$/u);
    expect(day('fr', 'no day')).toBe('no day');
  });
});
