//! Writing resources as YAML: block style, keys in the order of their records, quotes where a plain word would mean something else.

use std::fmt::Write as _;

use durward_model::Resource;
use serde_json::{Map, Value};

/// A resource as a document, without what is as it would be by default.
pub fn document(resource: &Resource) -> anyhow::Result<String> {
    let Value::Object(fields) = serde_json::to_value(resource)? else { anyhow::bail!("a resource is written as a record") };
    let mut text = String::new();
    let said = without_defaults(resource, fields);
    for key in ["kind", "name"] {
        if let Some(value) = said.get(key) {
            entry(&mut text, key, value, 0);
        }
    }
    for (key, value) in said.iter().filter(|(key, _)| !matches!(key.as_str(), "kind" | "name")) {
        entry(&mut text, key, value, 0);
    }
    Ok(text)
}

/// Leaves out each field without which the same resource is read back, within fields too.
fn without_defaults(resource: &Resource, fields: Map<String, Value>) -> Map<String, Value> {
    let same =
        |said: &Map<String, Value>| serde_json::from_value::<Resource>(Value::Object(said.clone())).is_ok_and(|read| read == *resource);
    let mut said = fields;
    for key in said.keys().cloned().collect::<Vec<_>>() {
        let fewer = without(&said, &key);
        if same(&fewer) {
            said = fewer;
            continue;
        }
        let Some(Value::Object(within)) = said.get(&key).cloned() else { continue };
        for inner in within.keys() {
            let mut fewer = said.clone();
            if let Some(Value::Object(within)) = fewer.get_mut(&key) {
                *within = without(within, inner);
            }
            if same(&fewer) {
                said = fewer;
            }
        }
    }
    said
}

/// The other fields, in their order.
fn without(fields: &Map<String, Value>, key: &str) -> Map<String, Value> {
    fields.iter().filter(|(known, _)| *known != key).map(|(known, value)| (known.clone(), value.clone())).collect()
}

fn entry(text: &mut String, key: &str, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    // Writing to a `String` does not fail.
    let _ = write!(text, "{indent}{}:", scalar(key));
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            fields.iter().for_each(|(key, value)| entry(text, key, value, depth + 1));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push('\n');
            items.iter().for_each(|item| element(text, item, depth + 1));
        }
        Value::String(long) if is_block(long) => {
            let _ = writeln!(text, " |");
            long.lines().for_each(|line| {
                let _ = if line.is_empty() { writeln!(text) } else { writeln!(text, "{indent}  {line}") };
            });
        }
        other => {
            let _ = writeln!(text, " {}", inline(other));
        }
    }
}

/// A list's element: a record's first field stands behind the dash.
fn element(text: &mut String, item: &Value, depth: usize) {
    let indent = "  ".repeat(depth - 1);
    match item {
        Value::Object(fields) if !fields.is_empty() => {
            let mut block = String::new();
            fields.iter().for_each(|(key, value)| entry(&mut block, key, value, depth));
            let _ = write!(text, "{indent}- {}", block.trim_start());
        }
        other => {
            let _ = writeln!(text, "{indent}- {}", inline(other));
        }
    }
}

/// A value in one line: JSON's own form, which is YAML's too, but for plain words.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", scalar(key), inline(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A text of several lines that a block can hold exactly.
fn is_block(text: &str) -> bool {
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\n', '\t'])
        && !text.contains('\r')
        && !text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\t'))
}

fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let plain = text.chars().all(|character| character.is_ascii_alphanumeric() || "-_./+@".contains(character));
    let is_word = starts && plain && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_word { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::configuration::documents::parse;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let text = "kind: client\nname: web\ntitle: 'Yes: #1 \"shop\"'\ntrust: first-party\njwks: {keys: [{kty: EC, x: \"-1\"}, {kty: \"no\"}]}\n\
                    redirect_uris: [\"https://a/b?c=d#e\"]\ngrants: [authorization_code]\nscopes: [openid, a:b, 12]\n---\n\
                    kind: policy\nname: stock\ntext: |\n  permit (principal,\n    action, resource);\n\n  // end\n---\n\
                    kind: service\nname: payments\nscopes:\n  - name: pay\n    description: Pay for it\n  - name: see\n---\n\
                    kind: route\nname: stock\npath: /stock/{sku}\nupstream: http://127.0.0.1:1\nservice: inventory\naccept: []\n\
                    authorize: {action: \"inventory:read\", resource: 'Stock::\"{sku}\"'}\n";
        let text = text.replace("a:b, 12", "\"a:b\", \"12\"");
        let read = parse(&text, Path::new("a.yaml")).unwrap();
        for known in read {
            let written = document(&known.resource).unwrap();
            let again = parse(&written, Path::new("b.yaml")).unwrap_or_else(|error| panic!("{error}\n{written}"));
            assert_eq!(again[0].resource, known.resource, "{written}");
        }
    }

    #[test]
    fn what_is_as_by_default_is_left_out() {
        let role = parse("kind: realm\nname: main\nsession_seconds: 36000\ndisabled: false\n", Path::new("a")).unwrap().remove(0).resource;
        assert_eq!(document(&role).unwrap(), "kind: realm\nname: main\n");
    }
}
