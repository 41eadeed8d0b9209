//! A backup: the store as of one moment, encrypted under its own root key, which is in it sealed. Without the seal file or the recovery key,
//! which are never in it, it is noise; cut short or altered anywhere, it does not open.

use std::io::{self, Read, Write};

use bytes::Bytes;
use durward_base::{EventId, Rng};
use durward_seal::{Context, Purpose, RootKey, SealedRoot, SealedRootError};
use futures_util::Stream;
use tokio::sync::mpsc;

use crate::{Admin, Refused};

/// How every backup begins.
const MAGIC: &[u8; 16] = b"durward backup 1";
/// Plain bytes of one chunk.
const CHUNK: usize = 1 << 20;
/// What sealing adds to a chunk at most.
const OVERHEAD: usize = 64;

/// Under which name the store keeps the sealed root key.
pub const SEALED_ROOT: &str = "root";

impl Admin {
    /// The chunks of a backup of the store, as it is now.
    pub(crate) async fn backup(&self) -> Result<impl Stream<Item = io::Result<Bytes>> + use<>, Refused> {
        let settings = &self.settings;
        let sealed = self.store().material(SEALED_ROOT).await?.ok_or_else(|| Refused::Failed("the store has no root key".to_owned()))?;
        let copy = settings.scratch.join(format!("backup-{}.partial", EventId::new(self.now(), &settings.rng)));
        self.store().backup(&copy).await?;
        let failed = |error: io::Error| Refused::Failed(error.to_string());
        let plain = std::fs::File::open(&copy);
        // It has no name any more: whatever happens, nothing of it stays behind.
        std::fs::remove_file(&copy).map_err(failed)?;
        let (plain, root, rng) = (plain.map_err(failed)?, std::sync::Arc::clone(&settings.root), settings.rng.clone());
        let (sender, mut chunks) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            let out = io::BufWriter::with_capacity(CHUNK, Sender(sender.clone()));
            if let Err(error) = encrypt(&root, sealed.expose(), &rng, plain, out) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        Ok(futures_util::stream::poll_fn(move |context| chunks.poll_recv(context)))
    }
}

/// Hands on what is written to it; fails when nobody takes it any more.
struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a backup does not open.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something else.
    #[error("not a backup: expected a file that `durward backup` wrote")]
    NotABackup,
    /// The sealed root key in it does not open.
    #[error(transparent)]
    Root(SealedRootError),
    /// It ends before its end, or was altered, or belongs to another root key.
    #[error("the backup is damaged at chunk {0}: use another one")]
    Damaged(u64),
    /// The file system refuses.
    #[error("the backup cannot be read or written: {0}")]
    Disk(#[source] io::Error),
}

/// Encrypts what `plain` reads, chunk by chunk.
///
/// # Errors
/// What reading or `out` says.
pub fn encrypt(root: &RootKey, sealed_root: &[u8], rng: &Rng, mut plain: impl Read, mut out: impl Write) -> io::Result<()> {
    let sealer = root.derive(Purpose::Secret, None).sealer();
    let id: [u8; 16] = rng.bytes();
    let length = u32::try_from(sealed_root.len()).map_err(io::Error::other)?;
    out.write_all(&[&MAGIC[..], &id, &length.to_be_bytes(), sealed_root].concat())?;
    let mut chunk = read_chunk(&mut plain)?;
    for index in 0u64.. {
        let next = if chunk.len() == CHUNK { read_chunk(&mut plain)? } else { Vec::new() };
        let last = next.is_empty();
        let sealed = sealer.seal(&place(&id, index, last), &chunk, rng);
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&sealed)?;
        if last {
            break;
        }
        chunk = next;
    }
    out.flush()
}

/// The head of a backup: what opens it.
#[derive(Debug)]
pub struct Header {
    id: [u8; 16],
    /// The root key as the store keeps it, to be opened with the seal file or the recovery key.
    pub sealed_root: SealedRoot,
}

/// Reads the head of a backup.
///
/// # Errors
/// `NotABackup`, `Root`, `Disk`.
pub fn read_header(mut from: impl Read) -> Result<Header, BackupError> {
    let magic: [u8; 16] = exactly(&mut from)?;
    if magic != *MAGIC {
        return Err(BackupError::NotABackup);
    }
    let id = exactly(&mut from)?;
    let length = u32::from_be_bytes(exactly(&mut from)?);
    if length > 4096 {
        return Err(BackupError::NotABackup);
    }
    let mut sealed = vec![0; usize::try_from(length).map_err(|_| BackupError::NotABackup)?];
    from.read_exact(&mut sealed).map_err(|_| BackupError::NotABackup)?;
    Ok(Header { id, sealed_root: SealedRoot::from_bytes(&sealed).map_err(BackupError::Root)? })
}

/// Decrypts what follows the head. Nothing of `out` is to be used unless this succeeds.
///
/// # Errors
/// `Damaged`, `Disk`.
pub fn decrypt(header: &Header, root: &RootKey, mut from: impl Read, mut out: impl Write) -> Result<(), BackupError> {
    let sealer = root.derive(Purpose::Secret, None).sealer();
    let mut length = [0; 4];
    for index in 0u64.. {
        let damaged = |_| BackupError::Damaged(index);
        from.read_exact(&mut length).map_err(damaged)?;
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if size > CHUNK + OVERHEAD {
            return Err(BackupError::Damaged(index));
        }
        let mut sealed = vec![0; size];
        from.read_exact(&mut sealed).map_err(damaged)?;
        if let Ok(plain) = sealer.open(&place(&header.id, index, false), &sealed) {
            out.write_all(plain.expose()).map_err(BackupError::Disk)?;
            continue;
        }
        let plain = sealer.open(&place(&header.id, index, true), &sealed).map_err(|_| BackupError::Damaged(index))?;
        out.write_all(plain.expose()).map_err(BackupError::Disk)?;
        let more = from.read(&mut length).map_err(BackupError::Disk)?;
        return if more == 0 { Ok(()) } else { Err(BackupError::Damaged(index + 1)) };
    }
    Ok(())
}

/// What a chunk is bound to: its backup, its number, and whether it is the last.
fn place(id: &[u8; 16], index: u64, last: bool) -> Context {
    Context::new("backup").with(id).with(index.to_be_bytes()).with([u8::from(last)])
}

fn read_chunk(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    from.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

fn exactly<const N: usize>(from: &mut impl Read) -> Result<[u8; N], BackupError> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map_err(|_| BackupError::NotABackup)?;
    Ok(bytes)
}
