//! The ways in and out of the window: all shut except to our own pages. Never opens one on
//! demand of a page.

use tauri::webview::{DownloadEvent, NewWindowResponse};
use tauri::{App, WebviewWindowBuilder};

/// Tauri lets WebDriver in, in every build, when this variable is set.
#[cfg(not(feature = "webdriver"))]
const AUTOMATION: &str = "TAURI_WEBVIEW_AUTOMATION";

#[cfg(feature = "webdriver")]
pub fn close_automation() -> std::io::Result<()> {
    Ok(())
}

/// Starts this program again without the variable, before anything else has run: removing
/// it from a running process is unsafe, and unsafe is forbidden here.
///
/// # Errors
/// When the program cannot be started again; it must then not go on.
#[cfg(not(feature = "webdriver"))]
pub fn close_automation() -> std::io::Result<()> {
    if std::env::var_os(AUTOMATION).is_none() {
        return Ok(());
    }
    let mut again = std::process::Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).env_remove(AUTOMATION);
    #[cfg(unix)]
    {
        Err(std::os::unix::process::CommandExt::exec(&mut again))
    }
    #[cfg(not(unix))]
    {
        let status = again.status()?;
        std::process::exit(status.code().unwrap_or(4));
    }
}

/// Only the pages we ship: `tauri:` (and `isolation:`), or their http names on Windows.
fn ours(url: &tauri::Url) -> bool {
    match url.scheme() {
        "tauri" | "isolation" => url.host_str() == Some("localhost"),
        "http" | "https" => matches!(url.host_str(), Some("tauri.localhost" | "isolation.localhost")),
        _ => false,
    }
}

/// # Errors
/// When the system gives no window.
pub fn open_window(app: &App) -> tauri::Result<()> {
    for window in &app.config().app.windows {
        let builder = WebviewWindowBuilder::from_config(app, window)?;
        // WebKitGTK lets WebDriver into no incognito context (wry makes those without
        // automation); a driven window keeps its browser data in the run folder instead.
        #[cfg(feature = "webdriver")]
        let builder = builder.incognito(std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_none());
        builder
            .on_navigation(ours)
            .on_new_window(|_, _| NewWindowResponse::Deny)
            .on_download(|_, event| !matches!(event, DownloadEvent::Requested { .. }))
            .build()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ours;

    #[test]
    fn only_our_own_pages_may_be_shown() {
        for url in ["tauri://localhost/", "isolation://localhost/index.html", "http://tauri.localhost/"] {
            assert!(ours(&url.parse().unwrap()), "{url}");
        }
        for url in [
            "https://example.org/",
            "file:///etc/passwd",
            "data:text/html,x",
            "http://localhost/",
            "tauri://other/",
        ] {
            assert!(!ours(&url.parse().unwrap()), "{url}");
        }
    }
}
