//! The envelope of an export file: a short header in clear, then an age file locked to
//! central's delivery key. Streams; what stands inside is not known here.

use age::stream::{StreamReader, StreamWriter};
use bech32::{Bech32, Hrp};
use domain::bytes::PublicKey;
use domain::token::KeyId;
use std::io::{BufReader, Read, Write};
use std::str::FromStr as _;
use zeroize::Zeroizing;

use crate::keys::key_id;

/// What an export file begins with; then the version, `u16`, and the key id, 4 bytes.
pub const MAGIC: [u8; 6] = *b"JALOND";
/// The one version this program writes and reads.
pub const VERSION: u16 = 1;
/// Bytes of the header in clear.
pub const HEADER_BYTES: usize = MAGIC.len() + 2 + 4;

/// Why an export file is not written or read.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryRefusal {
    #[error("not an export file")]
    NotOne,
    #[error("an export file of a later format ({0})")]
    Newer(u16),
    #[error("locked to another central's key")]
    OtherKey,
    #[error("cut short or changed since it was written")]
    Damaged,
    #[error("not a delivery key")]
    BadKey,
    #[error("the file cannot be read or written")]
    Io(#[source] std::io::Error),
}

/// The public half of a delivery key.
#[must_use]
pub fn public_of(seed: &[u8; 32]) -> Option<PublicKey> {
    let text = identity(seed)?.to_public().to_string();
    let (_, bytes) = bech32::decode(&text).ok()?;
    PublicKey::from_slice(&bytes)
}

/// Writes the header and answers where the content goes; `finish` it, or the file does not
/// open.
///
/// # Errors
/// The key is not one, or `out` fails.
pub fn lock<W: Write>(key: &PublicKey, mut out: W) -> Result<StreamWriter<W>, DeliveryRefusal> {
    let recipient = recipient(key).ok_or(DeliveryRefusal::BadKey)?;
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&VERSION.to_be_bytes());
    header.extend_from_slice(&key_id(key).0);
    out.write_all(&header).map_err(DeliveryRefusal::Io)?;
    let recipients: [&dyn age::Recipient; 1] = [&recipient];
    let encryptor =
        age::Encryptor::with_recipients(recipients.into_iter()).map_err(|_| DeliveryRefusal::BadKey)?;
    encryptor.wrap_output(out).map_err(DeliveryRefusal::Io)
}

/// Reads the header in clear: which key the rest is locked to.
///
/// # Errors
/// It is no export file, or one of a later format.
pub fn header(from: &mut impl Read) -> Result<KeyId, DeliveryRefusal> {
    let mut bytes = [0; HEADER_BYTES];
    from.read_exact(&mut bytes).map_err(|_| DeliveryRefusal::NotOne)?;
    let [m0, m1, m2, m3, m4, m5, v0, v1, k0, k1, k2, k3] = bytes;
    if [m0, m1, m2, m3, m4, m5] != MAGIC {
        return Err(DeliveryRefusal::NotOne);
    }
    match u16::from_be_bytes([v0, v1]) {
        VERSION => Ok(KeyId([k0, k1, k2, k3])),
        0 => Err(DeliveryRefusal::NotOne),
        newer => Err(DeliveryRefusal::Newer(newer)),
    }
}

/// Opens a file from its first byte; answers its content. Reading it to its end without an
/// error is the proof that nothing of it was changed.
///
/// # Errors
/// See [`DeliveryRefusal`].
pub fn open<R: Read>(seed: &[u8; 32], from: R) -> Result<StreamReader<BufReader<R>>, DeliveryRefusal> {
    let mut from = BufReader::new(from);
    let key = header(&mut from)?;
    if public_of(seed).map(|public| key_id(&public)) != Some(key) {
        return Err(DeliveryRefusal::OtherKey);
    }
    let identity = identity(seed).ok_or(DeliveryRefusal::BadKey)?;
    let decryptor = age::Decryptor::new_buffered(from).map_err(refused)?;
    let identities: [&dyn age::Identity; 1] = [&identity];
    decryptor.decrypt(identities.into_iter()).map_err(refused)
}

fn refused(error: age::DecryptError) -> DeliveryRefusal {
    match error {
        age::DecryptError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            DeliveryRefusal::Io(error)
        }
        // The header in clear names our key, so what does not open was changed.
        _ => DeliveryRefusal::Damaged,
    }
}

fn recipient(key: &PublicKey) -> Option<age::x25519::Recipient> {
    let text = bech32::encode::<Bech32>(Hrp::parse("age").ok()?, &key.0).ok()?;
    age::x25519::Recipient::from_str(&text).ok()
}

fn identity(seed: &[u8; 32]) -> Option<age::x25519::Identity> {
    let text = bech32::encode::<Bech32>(Hrp::parse("age-secret-key-").ok()?, seed).ok()?;
    let text = Zeroizing::new(text);
    age::x25519::Identity::from_str(&Zeroizing::new(text.to_uppercase())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(seed: u8, file: &[u8]) -> Result<Vec<u8>, DeliveryRefusal> {
        let mut content = Vec::new();
        open(&[seed; 32], file)?.read_to_end(&mut content).map_err(|_| DeliveryRefusal::Damaged)?;
        Ok(content)
    }

    fn file(content: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut writer = lock(&public_of(&[7; 32]).unwrap(), &mut file).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn what_is_locked_opens_with_its_key_only() {
        // Longer than age's chunks of 64 KiB.
        let content = vec![9; 200_000];
        let whole = file(&content);
        assert_eq!(read(7, &whole).unwrap(), content);
        assert!(matches!(read(8, &whole), Err(DeliveryRefusal::OtherKey)));
        let mut later = whole.clone();
        later[7] = 2;
        assert!(matches!(read(7, &later), Err(DeliveryRefusal::Newer(2))));
        assert!(matches!(read(7, b"JALON"), Err(DeliveryRefusal::NotOne)));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let whole = file(b"a name that must not be read");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(7, &changed).is_err(), "byte {at}");
            assert!(read(7, &whole[..at]).is_err(), "cut at {at}");
        }
        assert!(read(7, &[whole, vec![0]].concat()).is_err(), "one byte more");
    }

    /// A disk that fails is not a file that was changed: the same file may be read elsewhere.
    #[test]
    fn a_disk_that_fails_is_told_from_a_file_that_was_cut() {
        struct Failing<'a>(&'a [u8]);
        impl Read for Failing<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                match self.0.read(into)? {
                    0 => Err(std::io::Error::from(std::io::ErrorKind::TimedOut)),
                    n => Ok(n),
                }
            }
        }
        let whole = file(b"x");
        let cut = &whole[..HEADER_BYTES + 20];
        assert!(matches!(open(&[7; 32], cut).map(drop), Err(DeliveryRefusal::Damaged)));
        assert!(matches!(open(&[7; 32], Failing(cut)).map(drop), Err(DeliveryRefusal::Io(_))));
    }
}
