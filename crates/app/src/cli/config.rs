//! `durward config`: the settings of a process, checked and shown without starting it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::apply::joined;
use super::output::{Output, line, table};
use crate::configuration::{Documents, HERE, Settings};
use crate::server::check;

/// Check and show the settings of a process
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check a file of settings, the files and the resources it names, without starting anything; secrets are not looked for
    Check {
        /// The file
        #[arg(short, long, value_name = "FILE", default_value = HERE)]
        config: PathBuf,
    },
    /// Print every value in force, and where it came from
    Show {
        /// The file; `durward.yaml` here when there is one, else every default
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of the settings
    Schema,
}

/// Runs `durward config`.
pub fn run(arguments: &Arguments, output: Output) -> anyhow::Result<ExitCode> {
    match &arguments.verb {
        Verb::Check { config } => {
            let settings = Settings::read(config)?;
            check(&settings)?;
            if let Some(resources) = &settings.resources {
                Documents::read(resources).map_err(joined)?;
            }
            output.done(&format!("{} is good.", config.display()));
        }
        Verb::Show { config } => {
            let config = Settings::named_or_here(config.as_deref());
            let settings = config.map_or_else(|| Ok(Settings::default()), Settings::read)?;
            let written = config.map(written).transpose()?.unwrap_or_default();
            let mut values = Vec::new();
            flatten("", &serde_json::to_value(&settings)?, &written, config, &mut values);
            output.print(&values, |values| table(["NAME", "VALUE", "FROM"], values.iter().map(InForce::row)))?;
        }
        Verb::Schema => line(&serde_json::to_string_pretty(&schemars::schema_for!(Settings))?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A setting in force, and where it came from.
#[derive(Serialize)]
struct InForce {
    name: String,
    value: Value,
    from: String,
}

impl InForce {
    fn row(&self) -> [String; 3] {
        let value = match &self.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        [self.name.clone(), value, self.from.clone()]
    }
}

/// What the file says, as it stands there.
fn written(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(serde_saphyr::from_str(&text).unwrap_or_default())
}

/// Every value under its dotted name. What is not written in the file is a default.
fn flatten(name: &str, value: &Value, written: &Value, file: Option<&Path>, values: &mut Vec<InForce>) {
    if let (Value::Object(fields), true) = (value, name != "store") {
        for (key, value) in fields {
            let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            flatten(&name, value, written.get(key).unwrap_or(&Value::Null), file, values);
        }
        return;
    }
    let from = match file {
        Some(file) if !written.is_null() => file.display().to_string(),
        _ => "default".to_owned(),
    };
    values.push(InForce { name: name.to_owned(), value: value.clone(), from });
}
