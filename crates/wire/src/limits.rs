//! Limits both sides keep. A message over one of them is refused, never cut.

/// Most bytes of one JSON message, either way: about 180 records of the largest body.
pub const MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// Most records in one push.
pub const PUSH_RECORDS: usize = 200;
/// Most bytes of one record's body. A registration is under 4 kB.
pub const BODY_BYTES: usize = 32 * 1024;
/// Most changes in one pull.
pub const PULL_CHANGES: usize = 200;
/// Most bytes of one locked page.
pub const PAGE_BYTES: u64 = 24 * 1024 * 1024;
/// Most bytes of one PATCH of an upload.
pub const CHUNK_BYTES: usize = 1024 * 1024;
/// Most pages of one registration.
pub const PAGES: usize = 60;
/// Most bytes of one export file: what a memory stick formatted as FAT32 takes. Weeks of one
/// kiosk are a tenth of it.
pub const DELIVERY_BYTES: u64 = 4 * 1024 * 1024 * 1024 - 1;
/// How far a request's time may be from central's clock, in seconds. A kiosk that is
/// off by more is told central's time and asks again.
pub const CLOCK_SLACK_S: i64 = 300;
