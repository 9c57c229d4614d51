//! The bundled fonts, loaded once and reused for every letter. Only these are ever used: a paper
//! must not depend on what a machine has installed.

use std::sync::Arc;

use parley::fontique::{Blob, Collection, CollectionOptions};
use parley::{FontContext, LayoutContext};

/// In the order they are tried for a character. Licence: `fonts/OFL.txt`.
pub(crate) const FILES: &[&[u8]] = &[
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../fonts/NotoSansArabic-Bold.ttf"),
    include_bytes!("../fonts/NotoSansEthiopic-Regular.ttf"),
    include_bytes!("../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../fonts/NotoSansBengali-Regular.ttf"),
    include_bytes!("../fonts/NotoSansTamil-Regular.ttf"),
    include_bytes!("../fonts/NotoSansArmenian-Regular.ttf"),
    include_bytes!("../fonts/NotoSansGeorgian-Regular.ttf"),
    include_bytes!("../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../fonts/NotoSansGurmukhi-Regular.ttf"),
    include_bytes!("../fonts/NotoSansThai-Regular.ttf"),
];

/// The families of [`FILES`], as a CSS list.
pub(crate) const FAMILIES: &str = "Noto Sans, Noto Sans Arabic, Noto Sans Ethiopic, Noto Sans Devanagari, \
     Noto Sans Bengali, Noto Sans Tamil, Noto Sans Armenian, Noto Sans Georgian, Noto Sans Hebrew, \
     Noto Sans Gurmukhi, Noto Sans Thai";

/// The fonts and the workspace of the layout. Make one and keep it: the first letter warms it.
pub struct Fonts {
    pub(crate) fonts: FontContext,
    pub(crate) layouts: LayoutContext<()>,
}

impl Fonts {
    /// Registers the bundled fonts; the system's are never looked at.
    pub fn new() -> Fonts {
        let options = CollectionOptions { shared: false, system_fonts: false };
        let mut collection = Collection::new(options);
        for file in FILES {
            collection.register_fonts(Blob::new(Arc::new(*file)), None);
        }
        Fonts {
            fonts: FontContext { collection, source_cache: Default::default() },
            layouts: LayoutContext::new(),
        }
    }
}

impl Default for Fonts {
    fn default() -> Self {
        Fonts::new()
    }
}
