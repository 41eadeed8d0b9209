//! `durward export`: a realm's resources as the files that `durward apply` takes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use durward_model::resource::PersonResource;
use durward_model::{Person, Resource, ResourceKind, Stored};

use super::api::{Api, Connection};
use super::output::{Output, line};
use super::{plural, yaml};

/// Write the realm's resources as the files that `durward apply` takes, without secrets
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this kind, as `kind` says it in the files: `route`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<ResourceKind>,
    /// Write files into this directory instead of the terminal
    #[arg(short, long, value_name = "DIR")]
    file: Option<PathBuf>,
}

/// Runs `durward export`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let kinds: Vec<ResourceKind> =
        ResourceKind::ALL.iter().copied().filter(|kind| arguments.kind.is_none_or(|only| only == *kind)).collect();
    let mut resources = Vec::new();
    for kind in kinds {
        resources.extend(of_kind(&api, kind).await?);
    }
    match &arguments.file {
        Some(directory) => write(directory, &resources)?,
        None => output.print(&resources, |resources| documents(resources.iter()).unwrap_or_default())?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_kind(api: &Api, kind: ResourceKind) -> anyhow::Result<Vec<Resource>> {
    let path = plural(kind);
    match kind {
        ResourceKind::Realm => Ok(vec![api.get::<Stored>(&format!("{path}/{}", api.realm), &[]).await?.resource]),
        ResourceKind::Person => {
            let people: Vec<Person> = api.list(path).await?;
            Ok(people.into_iter().map(|person| Resource::Person(declared(person))).collect())
        }
        _ => {
            let stored: Vec<Stored> = api.list(path).await?;
            Ok(stored.into_iter().map(|stored| stored.resource).collect())
        }
    }
}

fn declared(person: Person) -> PersonResource {
    let Person { username, display_name, email, roles, groups, disabled, .. } = person;
    PersonResource { name: username, display_name, email, roles, groups, password: None, disabled }
}

/// One file a kind, and one for each policy and schema.
fn write(directory: &Path, resources: &[Resource]) -> anyhow::Result<()> {
    let keep = |name: String, text: String| {
        let path = directory.join(name);
        std::fs::create_dir_all(directory)
            .and_then(|()| std::fs::write(&path, text))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        line(&path.display().to_string())
    };
    for resource in resources {
        match resource {
            Resource::Policy(policy) => keep(format!("{}.cedar", policy.name), policy.text.clone())?,
            Resource::Schema(schema) => keep(format!("{}.cedarschema", schema.name), schema.text.clone())?,
            _ => {}
        }
    }
    for kind in ResourceKind::ALL.iter().filter(|kind| !matches!(kind, ResourceKind::Policy | ResourceKind::Schema)) {
        let text = documents(resources.iter().filter(|resource| resource.kind() == *kind))?;
        if !text.is_empty() {
            keep(format!("{}.yaml", plural(*kind)), text)?;
        }
    }
    Ok(())
}

fn documents<'a>(resources: impl Iterator<Item = &'a Resource>) -> anyhow::Result<String> {
    Ok(resources.map(yaml::document).collect::<anyhow::Result<Vec<_>>>()?.join("---\n"))
}

fn kind(name: &str) -> Result<ResourceKind, String> {
    let known = ResourceKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    ResourceKind::from_name(name).ok_or_else(|| format!("expected one of {known}"))
}
