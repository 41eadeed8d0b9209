//! Resources in files: YAML documents in any layout, `.cedar` and `.cedarschema` beside them. Errors keep their file, line and column.

mod directory;
mod locate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use durward_admin::Apply;
use durward_base::{Secret, nearest};
use durward_model::resource::{Policy, Schema, SecretReference};
use durward_model::{Resource, ResourceKind};
use serde::de::DeserializeOwned;

use super::{ConfigurationError, resolve};

/// The longest file, in bytes.
const LONGEST_FILE: usize = 1 << 20;
/// The most documents of one file.
const MOST_DOCUMENTS: usize = 5_000;

/// A resource and where it stands.
#[derive(Debug, Clone)]
pub struct Document {
    /// The resource, as written: references to secrets are not resolved.
    pub resource: Resource,
    /// Its file.
    pub file: PathBuf,
    /// The line of the file on which its text begins, from 1.
    first_line: u64,
    /// Its text.
    text: String,
}

/// The resources of a file or directory, each kind and name once.
#[derive(Debug, Clone, Default)]
pub struct Documents(Vec<Document>);

/// Reads the documents of one YAML text, separated by `---`. `file` is its name in errors.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str, file: &Path) -> Result<Vec<Document>, ConfigurationError> {
    if text.len() > LONGEST_FILE {
        return Err(ConfigurationError::of_file(file, format!("is {} bytes long: expected at most 1 MiB", text.len())));
    }
    let mut documents = Vec::new();
    for (first_line, text) in split(text, file)? {
        if documents.len() == MOST_DOCUMENTS {
            return Err(ConfigurationError::of_file(
                file,
                format!("holds more than {MOST_DOCUMENTS} documents: spread them over several files"),
            ));
        }
        let resource = document(&text, file, first_line)?;
        documents.push(Document { resource, file: file.to_owned(), first_line, text });
    }
    Ok(documents)
}

impl Documents {
    /// Reads a file, or all files below a directory; what is neither YAML nor Cedar is passed over, and so is what begins with a dot.
    ///
    /// # Errors
    /// The first thing that is wrong in each file.
    pub fn read(path: &Path) -> Result<Self, Vec<ConfigurationError>> {
        let mut documents = Vec::new();
        let mut errors = Vec::new();
        for file in directory::files(path).map_err(|error| vec![error])? {
            match read_file(&file) {
                Ok(read) => documents.extend(read),
                Err(error) => errors.push(error),
            }
        }
        let documents = Self(documents);
        errors.extend(documents.twice());
        if errors.is_empty() { Ok(documents) } else { Err(errors) }
    }

    /// The documents.
    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.0.iter()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is to be applied: the resources, and apart from them the secrets and passwords that their references name.
    ///
    /// # Errors
    /// References that name nothing.
    pub fn resolved(&self) -> Result<Apply, Vec<ConfigurationError>> {
        let mut apply = Apply::default();
        let mut errors = Vec::new();
        for document in &self.0 {
            let mut resource = document.resource.clone();
            match &mut resource {
                Resource::Client(client) if !client.secrets.is_empty() => {
                    let secrets = std::mem::take(&mut client.secrets);
                    let resolved: Result<Vec<_>, _> = secrets.iter().map(|secret| document.resolve(secret, "secrets")).collect();
                    keep(resolved, &client.name, &mut apply.secrets, &mut errors);
                }
                Resource::Person(person) => {
                    if let Some(password) = person.password.take() {
                        keep(document.resolve(&password, "password"), &person.name, &mut apply.passwords, &mut errors);
                    }
                }
                _ => {}
            }
            apply.resources.push(resource);
        }
        if errors.is_empty() { Ok(apply) } else { Err(errors) }
    }

    fn find(&self, kind: ResourceKind, name: &str) -> Option<&Document> {
        self.0.iter().find(|document| document.resource.kind() == kind && document.resource.name() == name)
    }

    fn twice(&self) -> Vec<ConfigurationError> {
        let mut seen: BTreeMap<(ResourceKind, &str), &Document> = BTreeMap::new();
        let mut errors = Vec::new();
        for document in &self.0 {
            let (kind, name) = (document.resource.kind(), document.resource.name());
            if let Some(first) = seen.insert((kind, name), document) {
                let (line, _) = first.place("name", None);
                let before = format!("{}:{line}", first.file.display());
                errors.push(document.error("name", None, format!("the {} \"{name}\" is declared twice: first in {before}", kind.name())));
            }
        }
        errors
    }
}

impl Document {
    /// What a reference names. Relative paths are relative to the document's file.
    fn resolve(&self, reference: &SecretReference, field: &str) -> Result<Secret, ConfigurationError> {
        let reference = reference.relative_to(self.file.parent().unwrap_or(Path::new(".")));
        let what = format!("{} \"{}\": {field}", self.resource.kind().name(), self.resource.name());
        resolve(&reference, &what).map_err(|error| self.error(field, None, error.to_string()))
    }
}

fn keep<T>(resolved: Result<T, ConfigurationError>, name: &str, values: &mut BTreeMap<String, T>, errors: &mut Vec<ConfigurationError>) {
    match resolved {
        Ok(value) => drop(values.insert(name.to_owned(), value)),
        Err(error) => errors.push(error),
    }
}

fn read_file(file: &Path) -> Result<Vec<Document>, ConfigurationError> {
    let text = std::fs::read_to_string(file).map_err(|error| ConfigurationError::of_file(file, format!("cannot be read: {error}")))?;
    let named = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let resource = match file.extension().and_then(|extension| extension.to_str()) {
        Some("cedar") => Resource::Policy(Policy { name: named(), text: text.clone() }),
        Some("cedarschema") => Resource::Schema(Schema { name: named(), text: text.clone() }),
        _ => return parse(&text, file),
    };
    Ok(vec![Document { resource, file: file.to_owned(), first_line: 1, text }])
}

/// The texts between the lines that begin with `---`, each with the line on which it begins. YAML 1.2 section 9.1.2: such a line ends a document
/// wherever it stands, within a block of text too.
fn split(text: &str, file: &Path) -> Result<Vec<(u64, String)>, ConfigurationError> {
    let mut documents = vec![(1, String::new())];
    for (number, line) in (1u64..).zip(text.lines()) {
        if line == "..." || line.starts_with('%') {
            let message =
                format!("found `{}`: expected documents separated by `---`, without directives", line.chars().take(20).collect::<String>());
            return Err(ConfigurationError { message, file: file.to_owned(), place: Some((number, 1)) });
        }
        match line.strip_prefix("---") {
            Some(rest) if rest.trim().is_empty() || rest.trim_start().starts_with('#') && rest.starts_with(' ') => {
                documents.push((number + 1, String::new()))
            }
            Some(rest) if rest.starts_with(' ') => {
                let message = "found text behind `---`: expected the document on the lines below".to_owned();
                return Err(ConfigurationError { message, file: file.to_owned(), place: Some((number, 5)) });
            }
            _ => {
                if let Some((_, document)) = documents.last_mut() {
                    document.push_str(line);
                    document.push('\n');
                }
            }
        }
    }
    let says_something = |text: &str| text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    documents.retain(|(_, text)| says_something(text));
    Ok(documents)
}

/// One document. Its `kind:` line is blanked out and the rest read as that kind, so that errors keep their line and column.
fn document(text: &str, file: &Path, first_line: u64) -> Result<Resource, ConfigurationError> {
    let at = |line: usize, column: u64, message: String| ConfigurationError {
        message,
        file: file.to_owned(),
        place: Some((first_line + u64::try_from(line).unwrap_or_default(), column)),
    };
    let Some((line, value)) = text.lines().enumerate().find_map(|(line, text)| Some((line, text.strip_prefix("kind:")?))) else {
        let begins = text.lines().position(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).unwrap_or_default();
        return Err(at(
            begins,
            1,
            "the document has no line that begins with `kind:`: expected one of its keys to be `kind: client`, say".to_owned(),
        ));
    };
    if let Some((again, _)) = text.lines().enumerate().skip(line + 1).find(|(_, text)| text.starts_with("kind:")) {
        return Err(at(again, 1, "the key `kind` stands here twice: separate documents by `---`".to_owned()));
    }
    let word = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    let Some(kind) = ResourceKind::from_name(word) else {
        let known = ResourceKind::ALL.iter().map(|kind| kind.name());
        let advice = match nearest(word, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {}", known.collect::<Vec<_>>().join(", ")),
        };
        return Err(at(line, 7, format!("unknown kind `{}` ({advice})", word.chars().take(40).collect::<String>())));
    };
    let blanked: String = text.lines().enumerate().flat_map(|(number, text)| [if number == line { "" } else { text }, "\n"]).collect();
    let yaml = Yaml { text: &blanked, file, first_line };
    Ok(match kind {
        ResourceKind::Realm => Resource::Realm(yaml.read()?),
        ResourceKind::Role => Resource::Role(yaml.read()?),
        ResourceKind::Group => Resource::Group(yaml.read()?),
        ResourceKind::Service => Resource::Service(yaml.read()?),
        ResourceKind::Client => Resource::Client(yaml.read()?),
        ResourceKind::TrustedIssuer => Resource::TrustedIssuer(yaml.read()?),
        ResourceKind::Schema => Resource::Schema(yaml.read()?),
        ResourceKind::Policy => Resource::Policy(yaml.read()?),
        ResourceKind::Route => Resource::Route(yaml.read()?),
        ResourceKind::Person => Resource::Person(yaml.read()?),
    })
}

struct Yaml<'a> {
    text: &'a str,
    file: &'a Path,
    first_line: u64,
}

impl Yaml<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigurationError> {
        serde_saphyr::from_str(self.text).map_err(|error| ConfigurationError::from_yaml(&error, self.file, self.first_line))
    }
}

#[cfg(test)]
mod tests;
