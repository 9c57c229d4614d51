//! Reading what an eSCL device says of itself. Never trusts it to be XML.

use quick_xml::events::Event;

/// The elements of well-formed XML with one root, in order: local name and own text. Anything
/// else is `None`. No entity but the five is known.
#[must_use]
pub fn elements(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(found.len());
                found.push((start.local_name().as_ref().to_owned(), String::new()));
            }
            Event::Empty(start) => {
                found.push((start.local_name().as_ref().to_owned(), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, value)) = open.last().and_then(|place| found.get_mut(*place)) {
                    value.push_str(text.trim());
                }
            }
            Event::End(_) => {
                open.pop()?;
            }
            Event::DocType(_) => return None,
            Event::Eof => return open.is_empty().then_some(found),
            _ => {}
        }
    }
}
