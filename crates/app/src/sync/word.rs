//! A person of this kiosk said something of their appointment at another: it is so here too, unless
//! they said something else since. Heard once, whatever comes twice.

use super::apply::give_back_held;
use crate::contract::Problem;
use crate::kiosk::Inner;
use domain::planted;
use domain::token::SignedToken;
use domain::word::Word;
use vault::Tx;
use wire::body::{Body, Said, WordNoted};

pub(super) fn heard(inner: &Inner, tx: &Tx<'_>, said: &Said) -> Result<(), Problem> {
    let id = said.registration;
    if planted::on("word_elsewhere_unheard") {
        return Ok(());
    }
    let Some(paper) = tx.paper(id)? else { return Ok(()) };
    let over = tx.said_since(id, said.at)?;
    if !tx.note_word(said)? {
        return Ok(());
    }
    // Said again by this kiosk: a central restored to before it learns it with what follows.
    let at = inner.now();
    inner.append(tx, &Body::Word(WordNoted { said: said.clone(), at }), at)?;
    let dated = paper.token.as_deref().and_then(SignedToken::from_bytes).map(|signed| signed.token);
    let came = dated.as_ref().map(|dated| tx.arrival(id, dated.at)).transpose()?.flatten();
    let cancelled = tx.cancelled(id)?;
    if came.is_some() || cancelled.is_some_and(|cancelled| cancelled.annulled) {
        return Ok(());
    }
    if over {
        // Given up elsewhere, and said here since that they come: central hears of it, and the date follows.
        if said.says == Word::Cancel && cancelled.is_none() && tx.comes_since(id, said.at)? {
            tx.cancel_since(id, said.at)?;
            return Ok(tx.ask_back(id)?);
        }
        return Ok(());
    }
    match said.says {
        Word::Cancel => {
            give_back_held(inner, tx, &paper)?;
            Ok(tx.cancel_since(id, said.at)?)
        }
        // The date follows.
        Word::TakeBack => Ok(tx.ask_back(id)?),
        Word::Come => {
            tx.end_asked(id)?;
            // Given up here before, where central could not hear it: the date follows.
            if cancelled.is_some() { Ok(tx.ask_back(id)?) } else { Ok(()) }
        }
    }
}
