//! `durward restore`: put a backup back. A mode of its own, offline: nothing else may run on the data directory meanwhile.

mod replay;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use durward_admin::backup::{self, SEALED_ROOT};
use durward_base::{Clock, EventId, Rng, SecretBytes, Timestamp};
use durward_feed::Snapshot;
use durward_model::{Event, EventKind, Outcome, Position, Record, ResourceKind, Revocation, RevocationKind, Write};
use durward_seal::{RecoveryKey, RootKey, SealKey};
use durward_store::{Store, StoreSettings};
use serde::Serialize;

use super::api::secret_file;
use super::output::Output;
use crate::configuration::{Settings, StoreChoice};
use crate::server::root::{private_directory, write_private};
use durward_node::machine;

/// Put a backup back, offline: a new epoch begins, and codes and access tokens of before are dead
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file that `durward backup` made
    file: PathBuf,
    /// The file of settings; every default, and --data, when absent
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only check that the backup opens and is whole
    #[arg(long)]
    check: bool,
    /// The file that holds the recovery key, when the seal file is lost: a new one is made
    #[arg(long, value_name = "FILE")]
    recovery_key_file: Option<PathBuf>,
}

/// What was put back.
#[derive(Serialize)]
struct Restored {
    resources: usize,
    keys: usize,
    /// Where the new feed begins; none after a check.
    position: Option<Position>,
    /// Where the store of before is now.
    before: Option<PathBuf>,
    /// What was ended anew; none after a check.
    buried: Option<Buried>,
}

/// What became of what was ended after the backup.
#[derive(Serialize)]
struct Buried {
    /// How many changes the journal told of; none when it could not tell, and every login was ended.
    replayed: Option<usize>,
    /// Why it could not tell.
    unknown: Option<String>,
    /// What is disabled now because it was disabled or deleted meanwhile.
    disabled: Vec<String>,
    /// What had a new password or secret, which is lost, and keeps no older one.
    without: BTreeSet<String>,
}

/// Runs `durward restore`.
pub async fn run(arguments: &Arguments, data: Option<&Path>, output: Output) -> anyhow::Result<ExitCode> {
    let mut settings = arguments.config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read)?;
    if let Some(data) = data {
        settings.data = data.to_owned();
    }
    ensure!(matches!(settings.store, StoreChoice::Sqlite), "this store is in PostgreSQL: restore it with PostgreSQL's own tools");
    if !arguments.check {
        nothing_runs_on(&settings.data)?;
    }
    let opened = Opened::read(&arguments.file, &settings.seal_file()?, arguments.recovery_key_file.as_deref())?;
    let copy = opened.decrypt(&settings.data)?;
    let restored = if arguments.check { check(&copy).await } else { put_back(&copy, &opened, &settings).await };
    for leftover in with_companions(&copy) {
        let _ = fs::remove_file(leftover);
    }
    output.print(&restored?, text)?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to run beside an authority: one that answers on the data directory's socket.
fn nothing_runs_on(data: &Path) -> anyhow::Result<()> {
    private_directory(data)?;
    ensure!(UnixStream::connect(data.join("admin.sock")).is_err(), "an authority runs on {}: stop it first", data.display());
    Ok(())
}

/// A backup whose root key is open.
struct Opened {
    file: PathBuf,
    header: backup::Header,
    root: RootKey,
    seal_file: PathBuf,
    seal: Option<SealKey>,
}

impl Opened {
    fn read(file: &Path, seal_file: &Path, recovery: Option<&Path>) -> anyhow::Result<Self> {
        let header = backup::read_header(BufReader::new(open(file)?)).with_context(|| file.display().to_string())?;
        let seal = fs::read(seal_file)
            .ok()
            .map(|bytes| SealKey::from_bytes(&bytes))
            .transpose()
            .with_context(|| seal_file.display().to_string())?;
        let root = match (recovery, &seal) {
            (Some(recovery), _) => {
                let key = RecoveryKey::parse(secret_file(recovery)?.expose()).with_context(|| recovery.display().to_string())?;
                header.sealed_root.open_with_recovery(&key)?
            }
            (None, Some(seal)) => header.sealed_root.open_with_seal(seal)?,
            (None, None) => bail!("the seal file {} is not there: put it back, or give --recovery-key-file", seal_file.display()),
        };
        Ok(Self { file: file.to_owned(), header, root, seal_file: seal_file.to_owned(), seal })
    }

    /// The store of the backup, in a file beside the present one.
    fn decrypt(&self, data: &Path) -> anyhow::Result<PathBuf> {
        let copy = data.join("restore.partial");
        let out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&copy);
        let out = out.with_context(|| format!("{} cannot be written", copy.display()))?;
        let mut from = BufReader::new(open(&self.file)?);
        backup::read_header(&mut from)?;
        if let Err(error) = backup::decrypt(&self.header, &self.root, from, &out) {
            let _ = fs::remove_file(&copy);
            return Err(error.into());
        }
        out.sync_all()?;
        if let Some(seal) = &self.seal {
            let held = holds(&mut open(&copy)?, seal.expose())?;
            ensure!(
                !held,
                "{} holds the seal key itself: whoever has it has everything; destroy it and use another backup",
                self.file.display()
            );
        }
        Ok(copy)
    }
}

async fn check(copy: &Path) -> anyhow::Result<Restored> {
    let store = Store::open(&StoreSettings::sqlite(copy), machine::clock()).await?;
    let (resources, keys) = counted(&store).await?;
    Ok(Restored { resources, keys, position: None, before: None, buried: None })
}

async fn put_back(copy: &Path, opened: &Opened, settings: &Settings) -> anyhow::Result<Restored> {
    let (clock, rng) = (machine::clock(), machine::rng());
    let store = Store::open(&StoreSettings::sqlite(copy), clock.clone()).await?;
    let (resources, keys) = counted(&store).await?;
    let position = store.restore_epoch().await?;
    let buried = bury(&store, opened, &settings.data, (&clock, &rng)).await?;
    reseal(&store, opened, &rng).await?;
    let (ready, place) = (settings.data.join("restore.ready"), settings.data.join("durward.db"));
    match fs::remove_file(&ready) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // A copy of the copy: one file, complete and on disk, whatever SQLite still keeps beside the first.
    store.backup(&ready).await?;
    let before = set_aside(&place, clock.now())?;
    fs::rename(&ready, &place).with_context(|| format!("{} cannot be moved to {}", ready.display(), place.display()))?;
    File::open(&settings.data)?.sync_all()?;
    Ok(Restored { resources, keys, position: Some(position), before, buried: Some(buried) })
}

async fn counted(store: &Store) -> anyhow::Result<(usize, usize)> {
    let (_, records) = store.snapshot().await?;
    let resources = records.iter().filter(|record| matches!(record, Record::Resource(_))).count();
    Ok((resources, records.iter().filter(|record| matches!(record, Record::Key(_))).count()))
}

/// What was ended after the backup ends again. Of single access tokens that is not known: none of before may outlive it, each realm gets a
/// watermark.
async fn bury(store: &Store, opened: &Opened, data: &Path, (clock, rng): (&Clock, &Rng)) -> anyhow::Result<Buried> {
    let now = clock.now();
    let (position, records) = store.snapshot().await?;
    let snapshot = Snapshot::new(position, records);
    let changes = replay::since_backup(store, data, &opened.root, (clock, rng)).await;
    let (mut writes, buried) = match &changes {
        Ok(changes) => {
            let again = replay::again(store, &snapshot, changes, now).await?;
            (again.writes, Buried { replayed: Some(changes.len()), unknown: None, disabled: again.disabled, without: again.without })
        }
        Err(why) => {
            let unknown = Some(format!("{why:#}"));
            (
                replay::end_all(store, &snapshot, now).await?,
                Buried { replayed: None, unknown, disabled: Vec::new(), without: BTreeSet::new() },
            )
        }
    };
    let realms = snapshot.resources().keys().filter(|(_, kind, _)| *kind == ResourceKind::Realm);
    writes.extend(realms.map(|(realm, ..)| Write::Revoke(Revocation::new(realm, RevocationKind::Realm, realm, now, "restored"))));
    let mut event = Event::new(EventId::new(now, rng), now, "authority".into(), EventKind::Restored);
    event.outcome = Outcome::Changed;
    event.target = Some("store".to_owned());
    event.detail = Some(match &buried.unknown {
        None => format!("{} changes of after the backup were replayed", changes.map_or(0, |changes| changes.len())),
        Some(_) => "the journal does not tell what was ended after the backup: every login was ended".to_owned(),
    });
    store.commit(&writes, event).await?;
    Ok(buried)
}

/// Without the seal file it was sealed to, the root key is sealed to a new one.
async fn reseal(store: &Store, opened: &Opened, rng: &Rng) -> anyhow::Result<()> {
    let fits = opened.seal.as_ref().is_some_and(|seal| opened.header.sealed_root.open_with_seal(seal).is_ok());
    if fits {
        return Ok(());
    }
    ensure!(opened.seal.is_none(), "{} is the seal of another installation: move it away first", opened.seal_file.display());
    let seal = SealKey::generate(rng);
    let sealed = opened.header.sealed_root.reseal(&opened.root, &seal, rng)?;
    write_private(&opened.seal_file, seal.expose())?;
    store.replace_material(SEALED_ROOT, &SecretBytes::new(sealed.to_bytes())).await?;
    Ok(())
}

/// Moves the present store out of the way; nothing is ever overwritten.
fn set_aside(place: &Path, now: Timestamp) -> anyhow::Result<Option<PathBuf>> {
    if !place.exists() {
        return Ok(None);
    }
    let name =
        |number: u32| format!("durward.db.before-{}{}", now.seconds(), if number == 1 { String::new() } else { format!("-{number}") });
    let free =
        (1..).map(|number| place.with_file_name(name(number))).find(|aside| !with_companions(aside).iter().any(|file| file.exists()));
    let aside = free.context("no name is left for the store of before")?;
    for (from, to) in with_companions(place).into_iter().zip(with_companions(&aside)) {
        if from.exists() {
            fs::rename(&from, &to).with_context(|| format!("{} cannot be set aside", from.display()))?;
        }
    }
    Ok(Some(aside))
}

/// The database's file and those that SQLite keeps beside it.
fn with_companions(database: &Path) -> [PathBuf; 3] {
    let beside = |suffix: &str| {
        let mut name = database.to_owned().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    [database.to_owned(), beside("-wal"), beside("-shm")]
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// Whether a file holds these bytes anywhere.
fn holds(file: &mut File, wanted: &[u8]) -> anyhow::Result<bool> {
    file.rewind()?;
    let (mut window, mut chunk) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(false);
        }
        window.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if window.windows(wanted.len().max(1)).any(|bytes| bytes == wanted) {
            return Ok(true);
        }
        let keep = window.len().saturating_sub(wanted.len());
        window.drain(..keep);
    }
}

fn text(restored: &Restored) -> String {
    let Restored { resources, keys, position, before, buried } = restored;
    let Some(position) = position else { return format!("The backup is whole: {resources} resources, {keys} keys.") };
    let before = before.as_ref().map(|before| format!("The store of before is {}.\n", before.display())).unwrap_or_default();
    format!(
        "{resources} resources and {keys} keys are back; the feed begins anew at epoch {}.\n{before}\
         Codes and access tokens of before are dead. {}\n\
         What else was changed after the backup was taken is lost: `durward audit list --outcome changed` shows what the journal has of it.",
        position.epoch,
        buried.as_ref().map(told).unwrap_or_default(),
    )
}

fn told(buried: &Buried) -> String {
    let disabled = match buried.disabled.as_slice() {
        [] => String::new(),
        names => format!("\nDisabled again, or disabled because they were deleted: {}.", names.join(", ")),
    };
    let without = if buried.without.is_empty() {
        String::new()
    } else {
        let names: Vec<&str> = buried.without.iter().map(String::as_str).collect();
        format!("\nGiven a new password or secret meanwhile, which is lost, and left without one: {}.", names.join(", "))
    };
    match (&buried.replayed, &buried.unknown) {
        (Some(changes), _) => {
            format!("What was ended after the backup is ended again ({changes} changes replayed from the journal).{disabled}{without}")
        }
        (None, why) => format!(
            "Every login and every personal access token was ended, because nothing tells which were ended after the backup: {}.\n\
             Whoever was disabled meanwhile is enabled again, and old passwords and secrets are good again: disable, change and end them.",
            why.as_deref().unwrap_or("no journal")
        ),
    }
}
