// Carries the host interface over Tauri's calls. Never decides anything.
import { invoke } from '@tauri-apps/api/core';
import type { Host } from './host';

export const tauriHost: Host = {
  boot: () => invoke('boot'),
  setAside: () => invoke('set_aside'),
  unlock: (mediator, pin) => invoke('unlock', { mediator, pin }),
  lock: () => invoke('lock'),
  home: () => invoke('home'),
  startVisit: (lang) => invoke('start_visit', { lang }),
  openVisit: (visit) => invoke('open_visit', { visit }),
  saveDraft: (visit, fields) => invoke('save_draft', { visit, fields }),
  discardDraft: (visit) => invoke('discard_draft', { visit }),
  scanPage: (visit) => invoke('scan_page', { visit }),
  removePage: (visit, page) => invoke('remove_page', { visit, page }),
  readBack: (visit) => invoke('read_back', { visit }),
  confirm: (visit) => invoke('confirm', { visit }),
  date: (visit) => invoke('date', { visit }),
  print: (visit) => invoke('print', { visit }),
  printStatus: (visit) => invoke('print_status', { visit }),
  answerPrint: (visit, cameOut) => invoke('answer_print', { visit, cameOut }),
  finishVisit: (visit) => invoke('finish_visit', { visit }),
  followUp: (code, birth) => invoke('follow_up', { code, birth }),
  showPaper: (text) => invoke('show_paper', { text }),
  bringPaper: (door, rebuild) => invoke('bring_paper', { door, rebuild }),
  reprint: (visit) => invoke('reprint', { visit }),
  outbox: () => invoke('outbox'),
  syncNow: () => invoke('sync_now'),
  endOfDay: () => invoke('end_of_day'),
  media: () => invoke('media'),
  exportTo: (medium) => invoke('export_to', { medium }),
  deliverFrom: (medium, file) => invoke('deliver_from', { medium, file }),
};
