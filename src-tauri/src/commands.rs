//! One thin command a use case: hands its arguments to app::Kiosk and its answer back.
//! Never decides, never keeps anything.

use crate::clipboard;
use app::Kiosk;
use app::contract::{
    AdvanceView, BirthFields, Boot, DateView, DeliveryView, DetailFields, DraftFields, DraftView,
    EndOfDayView, ExportView, FollowUpView, HomeView, LimitFields, MediumView, OfferAnswerView, OutboxView,
    PrintView, Problem, ReadBackView, SessionView, ShownPaperView, WordKind, WordView,
};
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, State, command};

/// The core, or why it did not open: the window opens all the same and says so.
pub struct Core(Mutex<Answer<Kiosk>>);

type Answer<T> = Result<T, Problem>;

impl Core {
    pub fn open() -> Self {
        Self(Mutex::new(tauri::async_runtime::block_on(open())))
    }

    fn kiosk(&self) -> Answer<Kiosk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries again when it did not open: what stood in the way may have been mended.
    async fn kiosk_again(&self) -> Answer<Kiosk> {
        let failed = match self.kiosk() {
            // After an error of the disk nothing is written until the vault is opened anew.
            Ok(kiosk) => kiosk.has_failed(),
            Err(_) => true,
        };
        if failed {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Err(Problem::new("disk_failed"));
            let opened = open().await;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        }
        self.kiosk()
    }
}

async fn open() -> Answer<Kiosk> {
    let kiosk = Kiosk::open(app::Settings::from_env()?).await?;
    kiosk.start();
    Ok(kiosk)
}

#[command]
pub async fn boot(core: State<'_, Core>) -> Answer<Boot> {
    core.kiosk_again().await?.boot().await
}

/// The vault did not open: a fresh one takes its place.
#[command]
pub async fn set_aside(core: State<'_, Core>) -> Answer<()> {
    if core.kiosk().is_ok() {
        return Err(Problem::new("vault_opens"));
    }
    app::set_aside(&app::Settings::from_env()?, &app::World::system()).await.map(|_| ())
}

#[command]
pub async fn unlock(core: State<'_, Core>, mediator: String, pin: String) -> Answer<SessionView> {
    core.kiosk_again().await?.unlock(&mediator, &pin).await
}

#[command]
pub async fn lock(app: AppHandle, core: State<'_, Core>) -> Answer<()> {
    clipboard::let_go(&app).await;
    core.kiosk()?.lock().await
}

#[command]
pub async fn home(core: State<'_, Core>) -> Answer<HomeView> {
    core.kiosk()?.home().await
}

#[command]
pub async fn start_visit(app: AppHandle, core: State<'_, Core>, lang: String) -> Answer<DraftView> {
    clipboard::let_go(&app).await;
    core.kiosk()?.start_visit(&lang).await
}

#[command]
pub async fn open_visit(app: AppHandle, core: State<'_, Core>, visit: String) -> Answer<DraftView> {
    clipboard::let_go(&app).await;
    core.kiosk()?.open_visit(&visit).await
}

#[command]
pub async fn save_draft(core: State<'_, Core>, visit: String, fields: DraftFields) -> Answer<DraftView> {
    core.kiosk()?.save_draft(&visit, fields).await
}

#[command]
pub async fn unlock_second(
    core: State<'_, Core>,
    visit: String,
    mediator: String,
    pin: String,
) -> Answer<DraftView> {
    core.kiosk()?.unlock_second(&visit, &mediator, &pin).await
}

#[command]
pub async fn discard_draft(app: AppHandle, core: State<'_, Core>, visit: String) -> Answer<()> {
    clipboard::let_go(&app).await;
    core.kiosk()?.discard_draft(&visit).await
}

#[command]
pub async fn scan_page(core: State<'_, Core>, visit: String) -> Answer<DraftView> {
    core.kiosk()?.scan_page(&visit).await
}

#[command]
pub async fn remove_page(core: State<'_, Core>, visit: String, page: String) -> Answer<DraftView> {
    core.kiosk()?.remove_page(&visit, &page).await
}

#[command]
pub async fn read_back(core: State<'_, Core>, visit: String) -> Answer<ReadBackView> {
    core.kiosk()?.read_back(&visit).await
}

#[command]
pub async fn confirm(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.confirm(&visit).await
}

#[command]
pub async fn date(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.date(&visit).await
}

#[command]
pub async fn print(core: State<'_, Core>, visit: String) -> Answer<PrintView> {
    core.kiosk()?.print(&visit).await
}

#[command]
pub async fn print_status(core: State<'_, Core>, visit: String) -> Answer<PrintView> {
    core.kiosk()?.print_status(&visit).await
}

#[command]
pub async fn answer_print(core: State<'_, Core>, visit: String, came_out: bool) -> Answer<PrintView> {
    core.kiosk()?.answer_print(&visit, came_out).await
}

#[command]
pub async fn finish_visit(app: AppHandle, core: State<'_, Core>, visit: String) -> Answer<()> {
    clipboard::let_go(&app).await;
    core.kiosk()?.finish_visit(&visit).await
}

#[command]
pub async fn next_of_visit(
    app: AppHandle,
    core: State<'_, Core>,
    visit: String,
    same_person: bool,
) -> Answer<DraftView> {
    clipboard::let_go(&app).await;
    core.kiosk()?.next_of_visit(&visit, same_person).await
}

#[command]
pub async fn follow_up(core: State<'_, Core>, code: String, birth: BirthFields) -> Answer<FollowUpView> {
    core.kiosk()?.follow_up(&code, birth).await
}

#[command]
pub async fn show_paper(core: State<'_, Core>, text: String) -> Answer<ShownPaperView> {
    core.kiosk()?.show_paper(&text).await
}

#[command]
pub async fn bring_paper(core: State<'_, Core>, door: String, rebuild: Option<String>) -> Answer<()> {
    core.kiosk()?.bring_paper(&door, rebuild.as_deref()).await
}

#[command]
pub async fn arrive(core: State<'_, Core>, door: String) -> Answer<ShownPaperView> {
    core.kiosk()?.arrive(&door).await
}

#[command]
pub async fn ask_earlier(core: State<'_, Core>, visit: String) -> Answer<AdvanceView> {
    core.kiosk()?.ask_earlier(&visit).await
}

#[command]
pub async fn cancel(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.cancel(&visit).await
}

#[command]
pub async fn reinstate(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.reinstate(&visit).await
}

#[command]
pub async fn print_notice(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.print_notice(&visit).await
}

#[command]
pub async fn hand_notice(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.hand_notice(&visit).await
}

#[command]
pub async fn print_limit_letter(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.print_limit_letter(&visit).await
}

#[command]
pub async fn hand_limit_letter(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.hand_limit_letter(&visit).await
}

#[command]
pub async fn declare_limit(core: State<'_, Core>, visit: String, limit: LimitFields) -> Answer<DateView> {
    core.kiosk()?.declare_limit(&visit, limit).await
}

#[command]
pub async fn correct(core: State<'_, Core>, visit: String, details: DetailFields) -> Answer<DateView> {
    core.kiosk()?.correct(&visit, details).await
}

#[command]
pub async fn keep_transfer(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.keep_transfer(&visit).await
}

#[command]
pub async fn answer_offer(core: State<'_, Core>, visit: String, accept: bool) -> Answer<DateView> {
    core.kiosk()?.answer_offer(&visit, accept).await
}

#[command]
pub async fn answer_offer_elsewhere(
    core: State<'_, Core>,
    code: String,
    birth: BirthFields,
    offer: String,
    accept: bool,
) -> Answer<OfferAnswerView> {
    core.kiosk()?.answer_offer_elsewhere(&code, birth, &offer, accept).await
}

#[command]
pub async fn say_elsewhere(
    core: State<'_, Core>,
    code: String,
    birth: BirthFields,
    word: WordKind,
    slot_at: Option<String>,
    document_seen: bool,
) -> Answer<WordView> {
    core.kiosk()?.say_elsewhere(&code, birth, word, slot_at, document_seen).await
}

#[command]
pub async fn say_coming(core: State<'_, Core>, visit: String) -> Answer<DateView> {
    core.kiosk()?.say_coming(&visit).await
}

#[tauri::command]
pub async fn declare_today(core: State<'_, Core>, day: String) -> Answer<()> {
    core.kiosk()?.declare_today(&day).await
}

#[command]
pub async fn reprint(core: State<'_, Core>, visit: String) -> Answer<PrintView> {
    core.kiosk()?.reprint(&visit).await
}

#[command]
pub async fn outbox(core: State<'_, Core>) -> Answer<OutboxView> {
    core.kiosk()?.outbox().await
}

#[command]
pub async fn sync_now(core: State<'_, Core>) -> Answer<OutboxView> {
    core.kiosk()?.sync_now().await
}

#[command]
pub async fn end_of_day(core: State<'_, Core>) -> Answer<EndOfDayView> {
    core.kiosk()?.end_of_day().await
}

#[command]
pub async fn media(core: State<'_, Core>) -> Answer<Vec<MediumView>> {
    core.kiosk()?.media().await
}

#[command]
pub async fn export_to(core: State<'_, Core>, medium: String) -> Answer<ExportView> {
    core.kiosk()?.export_to(&medium).await
}

#[command]
pub async fn deliver_from(core: State<'_, Core>, medium: String, file: String) -> Answer<DeliveryView> {
    core.kiosk()?.deliver_from(&medium, &file).await
}
