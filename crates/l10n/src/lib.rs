//! Every sentence a person reads, in every language there is: the files of `locales/`, compiled in.
//! A language is a folder; adding one is enough. Parity with French is checked when this crate is
//! built. It never reads a file at run time, and never decides *what* to say.

mod dates;
mod lang;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

pub use dates::{date_long, date_short, date_time_long, date_time_to_second, month_name, time, weekday_name};
pub use lang::{Dir, Lang};

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// The sentence `key` (a message id such as `paper-title`, or `id.attribute`) in `lang`, with `args`
/// put in. No isolation marks: this is for paper, SMS and plain text; the window formats the same
/// files itself with marks on. An argument that is a whole number chooses plural forms.
/// A key no file has comes back as the key itself, so that a fault shows and nothing panics.
pub fn text(lang: &Lang, key: &str, args: &[(&str, &str)]) -> String {
    try_text(lang, key, args).unwrap_or_else(|| key.to_owned())
}

/// As [`text`], but `None` when the key does not exist: for keys made from data (`error-<code>`).
pub fn try_text(lang: &Lang, key: &str, args: &[(&str, &str)]) -> Option<String> {
    let bundle = BUNDLES.get(lang)?;
    let (id, attribute) = match key.split_once('.') {
        Some((id, attribute)) => (id, Some(attribute)),
        None => (key, None),
    };
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        Some(name) => message.get_attribute(name)?.value(),
        None => message.value()?,
    };
    let values: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, argument(value))).collect();
    // Errors (a variable not given) leave `{$name}` in the text: visible, and caught by the tests.
    let mut errors = Vec::new();
    Some(bundle.format_pattern(pattern, Some(&values), &mut errors).into_owned())
}

/// The raw files of one language as (area, text), for a front that formats them itself.
/// Source: `locales/<lang>/<area>.ftl`.
pub fn files(lang: &Lang) -> &'static [(&'static str, &'static str)] {
    TABLE.iter().find(|(code, _)| *code == lang.code()).map_or(&[], |(_, files)| files)
}

/// Formatting changes nothing in a number kept as text (no grouping, no local digits): only plain
/// whole numbers become numbers, so a code like `007` stays as written.
fn argument(value: &str) -> FluentValue<'_> {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value),
    }
}

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<BTreeMap<Lang, Bundle>> =
    LazyLock::new(|| LANGS.iter().map(|lang| (*lang, bundle(lang))).collect());

fn bundle(lang: &Lang) -> Bundle {
    let locale = lang.code().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![locale]);
    bundle.set_use_isolating(false);
    for (_, source) in files(lang) {
        // The build script has parsed these very bytes: what fails here has already failed there.
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(partial, _)| partial);
        bundle.add_resource_overriding(resource);
    }
    bundle
}
