//! The eSCL test scanner by hand: `cargo run -p sim --example escl_scanner -- FOLDER PAGE.jpg…`
//! writes SANE's configuration into FOLDER, prints the URL and serves until its input is closed.

use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or_else(|| std::io::Error::other("which folder, which pages?"))?;
    let pages = arguments.map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let scanner = sim::escl_scanner::EsclScanner::start(pages)?;
    let device = scanner.write_sane_config(folder.as_ref())?;
    println!("{} {device}", scanner.url());
    std::io::stdin().read_to_end(&mut Vec::new()).map(|_| ())
}
