//! `durward apply` and `durward diff`: make a realm have the resources of some files, or say what that would change.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use durward_admin::{Apply, Item, Plan};
use serde_json::{Value, json};

use super::api::{Api, ApiError, Connection};
use super::output::Output;
use crate::configuration::{ConfigurationError, Documents};

/// The status of `durward diff` when something differs.
const DIFFERS: u8 = 2;

/// Make the realm have the resources in these files
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// A file, or a directory whose YAML, .cedar and .cedarschema files are read
    #[arg(short, long, value_name = "PATH")]
    file: PathBuf,
    /// Delete what the files do not name: every kind but realms, and people only where the files name some
    #[arg(long)]
    prune: bool,
    /// Say only what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Say what `durward apply` would change; the exit status is 2 when something would
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// A file, or a directory whose YAML, .cedar and .cedarschema files are read
    #[arg(short, long, value_name = "PATH")]
    file: PathBuf,
    /// Show what `apply --prune` would delete, too
    #[arg(long)]
    prune: bool,
}

/// Runs `durward apply`.
pub async fn apply(arguments: &ApplyArguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let plan = send(&connection.api().await?, &arguments.file, arguments.prune, arguments.dry_run).await?;
    output.print(&plan, |plan| if plan.is_empty() { format!("Nothing differs: {}.", counted(plan.unchanged)) } else { text(plan) })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `durward diff`. Prints nothing when nothing differs.
pub async fn diff(arguments: &DiffArguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let plan = send(&connection.api().await?, &arguments.file, arguments.prune, true).await?;
    output.print(&plan, text)?;
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

/// Sends the resources in a file or directory; what the authority finds at fault comes back with file, line and column.
pub(crate) async fn send(api: &Api, path: &Path, prune: bool, dry_run: bool) -> anyhow::Result<Plan> {
    let documents = Documents::read(path).map_err(joined)?;
    let asked = Apply { prune, dry_run, ..documents.resolved().map_err(joined)? };
    match api.post("apply", &body(&asked)).await {
        Ok(plan) => Ok(plan),
        Err(error) => match error.downcast_ref::<ApiError>() {
            Some(refused) if !refused.faults.is_empty() => bail!("{}", located(&documents, refused)),
            _ => Err(error),
        },
    }
}

/// What the server found at fault, each at its line, in the order of the files.
fn located(documents: &Documents, refused: &ApiError) -> String {
    let (mut placed, mut said) = (Vec::new(), Vec::new());
    for fault in &refused.faults {
        match documents.locate(fault) {
            Ok(error) => placed.push(error),
            Err(text) => said.push(text),
        }
    }
    placed.sort_by(|left, right| (&left.file, left.place).cmp(&(&right.file, right.place)));
    placed.iter().map(ToString::to_string).chain(said).collect::<Vec<_>>().join("\n")
}

/// Several errors as one.
pub(super) fn joined(errors: Vec<ConfigurationError>) -> anyhow::Error {
    anyhow::anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The request's body: the one place where secrets are written out, on their way to the authority.
pub(super) fn body(asked: &Apply) -> Value {
    let secrets: serde_json::Map<String, Value> = asked
        .secrets
        .iter()
        .map(|(client, secrets)| (client.clone(), secrets.iter().map(|secret| json!(secret.expose())).collect()))
        .collect();
    let passwords: serde_json::Map<String, Value> =
        asked.passwords.iter().map(|(person, password)| (person.clone(), json!(password.expose()))).collect();
    json!({
        "resources": asked.resources,
        "secrets": secrets,
        "passwords": passwords,
        "prune": asked.prune,
        "dry_run": asked.dry_run,
    })
}

/// A plan for people: `+` what is new, `~` what differs with its fields, `-` what goes.
pub(super) fn text(plan: &Plan) -> String {
    let mut text = String::new();
    let mut line = |sign: char, item: &Item| {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{sign} {} {}", item.kind.name(), item.name);
        let fields: Vec<(String, String)> = item.fields.iter().flat_map(|field| rows(&field.field, &field.from, &field.to)).collect();
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, change) in fields {
            let _ = writeln!(text, "    {name:width$}  {change}");
        }
    };
    plan.create.iter().for_each(|item| line('+', item));
    plan.update.iter().for_each(|item| line('~', item));
    plan.delete.iter().for_each(|item| line('-', item));
    if !plan.is_empty() {
        let (create, update, delete) = (plan.create.len(), plan.update.len(), plan.delete.len());
        let tense = if plan.applied { "done" } else { "not done" };
        let _ = writeln!(text, "\n{create} to create, {update} to change, {delete} to delete, {} as declared: {tense}", plan.unchanged);
    }
    text
}

/// Name and change of a field; of a record, those of its own fields that differ.
fn rows(name: &str, from: &Value, to: &Value) -> Vec<(String, String)> {
    match (from, to) {
        (Value::Object(before), Value::Object(after)) => {
            let gone = before.iter().filter(|(key, _)| !after.contains_key(*key)).map(|(key, value)| (key, value, &Value::Null));
            let kept = after.iter().map(|(key, value)| (key, before.get(key).unwrap_or(&Value::Null), value));
            let differing = kept.chain(gone).filter(|(_, from, to)| from != to);
            differing.map(|(key, from, to)| (format!("{name}.{key}"), changed(from, to))).collect()
        }
        _ => vec![(name.to_owned(), changed(from, to))],
    }
}

fn changed(from: &Value, to: &Value) -> String {
    match (from, to) {
        (Value::Null, to) => format!("→ {}", brief(to)),
        (from, Value::Null) => format!("{} → none", brief(from)),
        (Value::Array(from), Value::Array(to)) => {
            let gone = from.iter().filter(|item| !to.contains(item)).map(|item| format!("-{}", brief(item)));
            let new = to.iter().filter(|item| !from.contains(item)).map(|item| format!("+{}", brief(item)));
            let all: Vec<String> = gone.chain(new).collect();
            if all.is_empty() { "in another order".to_owned() } else { all.join(" ") }
        }
        (from, to) => format!("{} → {}", brief(from), brief(to)),
    }
}

/// A value in one line of at most 80 characters.
fn brief(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace('\n', "⏎"),
        other => other.to_string(),
    };
    if text.chars().count() <= 80 { text } else { format!("{}…", text.chars().take(79).collect::<String>()) }
}

fn counted(unchanged: usize) -> String {
    if unchanged == 1 { "1 resource is as declared".to_owned() } else { format!("{unchanged} resources are as declared") }
}

#[cfg(test)]
mod tests {
    use durward_admin::Difference;
    use durward_model::ResourceKind;

    use super::*;

    #[test]
    fn a_plan_shows_what_is_new_what_differs_and_what_goes() {
        let item = |kind, name: &str, fields| Item { kind, name: name.to_owned(), fields };
        let field = |field: &str, from, to| Difference { field: field.to_owned(), from, to };
        let plan = Plan {
            create: vec![item(ResourceKind::Role, "clerk", vec![])],
            update: vec![item(
                ResourceKind::Client,
                "web",
                vec![
                    field("scopes", json!(["a", "b"]), json!(["b", "c"])),
                    field("title", json!(null), json!("The Shop")),
                    field("require", json!({"roles": [], "authenticated": true}), json!({"roles": ["clerk"], "authenticated": true})),
                ],
            )],
            delete: vec![item(ResourceKind::Route, "old", vec![])],
            unchanged: 7,
            applied: true,
        };
        let expected = "+ role clerk\n~ client web\n    scopes         -a +c\n    title          → The Shop\n    require.roles  +clerk\n- route old\n\n\
                        1 to create, 1 to change, 1 to delete, 7 as declared: done\n";
        assert_eq!(text(&plan), expected);
        assert_eq!(text(&Plan::default()), "");
    }
}
