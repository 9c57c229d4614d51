//! The kiosk's program: opens the core, then the one window on it. Never holds a rule;
//! what a command does is app::Kiosk's.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod clipboard;
mod commands;
#[cfg(target_os = "linux")]
mod display;
mod doors;
mod registered;
mod start;

use commands::Core;
use tauri::Manager;

fn main() {
    if let Some(code) = start::ended(std::env::args_os().skip(1)) {
        std::process::exit(code);
    }
    if let Err(error) = doors::close_automation() {
        eprintln!("{error}");
        std::process::exit(3);
    }
    // Fails only when one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let mut builder = tauri::Builder::default();
    // A second start shows the first window. Not when JALON_HOME is named: kiosks on
    // different data (a test run beside a demo) are not one another, and the plugin, which
    // goes by the program's identifier over D-Bus, could not tell them apart. The vault's
    // own lock still keeps two processes from one vault.
    if std::env::var_os("JALON_HOME").is_none() {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| {
            if let Some(window) = app.get_webview_window("main") {
                let _ = window.unminimize();
                let _ = window.set_focus();
            }
        }));
    }
    let outcome = builder
        .setup(|app| {
            app.manage(Core::open());
            doors::open_window(app)?;
            Ok(())
        })
        .invoke_handler(registered::handler())
        .run(tauri::generate_context!());
    if let Err(error) = outcome {
        eprintln!("{error}");
        std::process::exit(4);
    }
}
