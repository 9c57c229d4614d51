// Opens the window on the in-memory host, to look at screens: `npm run dev`, then /demo.html.
import { createApp } from 'vue';
import App from '../src/App.vue';
import { FLOW, createFlow } from '../src/flow';
import '../src/style.css';
import { fakeHost, PIN } from './fake';

const wanted = new URLSearchParams(location.search);
const fake = fakeHost({
  nearby: ['Sous-préfecture du Raincy', 'Sous-préfecture de Saint-Denis'],
  mediators: [{ id: 'demo', name: 'Camille Durand' }, { id: 'other', name: 'Dominique Petit' }],
});
const flow = createFlow(fake);
createApp(App).provide(FLOW, flow).mount('#app');

/** Walks to the screen named in the address, as a person would. */
async function walk(to: string) {
  await flow.start();
  flow.setLang(wanted.get('lang') ?? 'fr');
  if (wanted.has('letter')) fake.limitLetter = { told_at: wanted.get('letter') === 'told' ? '2031-03-04T10:00' : null, printed: false, handed_at: null };
  if (to === 'refused') return flow.unlock('demo', '1');
  if (to === 'unlock') return;
  if (to === 'set-aside') { fake.refuse.set('boot', 'vault_damaged'); flow.state.boot = null; return flow.start(); }
  if (to === 'today') fake.todayFrom = '2031-03-04';
  await flow.unlock('demo', PIN);
  if (to === 'today') return;
  if (to === 'home') return;
  if (to === 'outbox') return flow.outbox();
  if (to === 'followup') return flow.followUp();
  if (to === 'elsewhere') { await flow.followUp(); return flow.findPaper('E', { form: 'whole', day: '', month: '', year: '' }); }
  if (['found', 'annulment', 'transfer', 'asked', 'far'].includes(to)) {
    if (to === 'transfer') fake.transfer = { state: 'both', since: '2031-01-10T09:04', site: 'Préfecture de l’Isère', earlier_at: '2031-05-02T10:20', zone: 'Europe/Paris' };
    if (to === 'asked') fake.cancelAsked = { channel: 'phone', at: '2031-03-03T14:10', due: '2031-03-04T14:10' };
    if (to === 'far') fake.reconfirm = { until: '2031-03-27', said: false };
    if (to === 'annulment') fake.annulment = { until: '2031-03-27', printed: true, told_at: null };
    await flow.followUp();
    return flow.findPaper('JLN-7K2M-QX4T', { form: 'whole', day: '3', month: '11', year: '1984' });
  }
  if (to === 'paper') { await flow.followUp(); return flow.showPaper(''); }
  flow.setPersonLang(wanted.get('person') ?? 'ar');
  await flow.startVisit();
  const fields = flow.state.visit?.fields;
  if (!fields) return;
  Object.assign(fields, { family_names: 'بن علي', given_names: 'Amélie', nationality: 'DZA', procedure: 'renewal', birth_place: 'Oran' });
  fields.department_wide = wanted.has('wide');
  fields.birth = { form: 'whole', day: '3', month: to === 'problems' ? '14' : '11', year: to === 'problems' ? '19' : '1984' };
  flow.edited();
  await flow.flush();
  if (to === 'person') return;
  await flow.next();
  if (to === 'procedure') { fields.limit = { right: 'court_injunction', last_day: '', days: '40', evidence: 'TA Paris 2031-114' }; return; }
  await flow.next();
  await flow.scanPage();
  if (to === 'scan') return;
  await flow.next();
  if (to === 'readback' || to === 'problems') return;
  await flow.confirm();
  if (to === 'date') return;
  fake.printer = to === 'ask' ? ['ask'] : to === 'waiting' ? ['waiting'] : ['printed'];
  await flow.toPrint();
  if (to === 'done') await flow.toDone();
}
void walk(wanted.get('screen') ?? 'unlock');
