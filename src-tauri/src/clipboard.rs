//! What was copied in our window is let go of when a person's turn ends or another's begins.
//! Never takes away what another program put there.

use tauri::AppHandle;

/// Both selections of the display, the copied one and the marked one. Returns once it is done: only
/// the window's own thread can. A window that is closing has nothing left to give.
#[cfg(target_os = "linux")]
pub async fn let_go(app: &AppHandle) {
    let (done, mut told) = tauri::async_runtime::channel(1);
    let asked = app.run_on_main_thread(move || {
        for selection in [gtk::gdk::SELECTION_CLIPBOARD, gtk::gdk::SELECTION_PRIMARY] {
            // Clears only what this process owns.
            gtk::Clipboard::get(&selection).clear();
        }
        let _ = done.try_send(());
    });
    if asked.is_ok() {
        let _: Option<()> = told.recv().await;
    }
}

/// Not built for other systems yet: docs/security.md says so.
#[cfg(not(target_os = "linux"))]
pub async fn let_go(_: &AppHandle) {}
