use std::path::Path;

use durward_admin::Fault;

use super::*;

const FILE: &str = "shop.yaml";

fn refused(text: &str) -> String {
    parse(text, Path::new(FILE)).unwrap_err().to_string()
}

fn documents(text: &str) -> Documents {
    Documents(parse(text, Path::new(FILE)).unwrap())
}

#[test]
fn a_file_holds_documents_of_any_kind_in_any_order() {
    let read = documents("# the shop\n---\nname: clerk\nkind: role\n---\n\n---\nkind: client # ours\nname: web\nscopes: [openid]\n");
    let found: Vec<_> = read.iter().map(|document| (document.resource.kind(), document.resource.name())).collect();
    assert_eq!(found, [(ResourceKind::Role, "clerk"), (ResourceKind::Client, "web")]);
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_column() {
    for (text, expected) in [
        ("kind: role\nname: a\n---\nkind: client\nname: b\nscops: []\n", "unknown key `scops` (did you mean `scopes`?)  shop.yaml:6:1"),
        ("kind: rout\nname: a\n", "unknown kind `rout` (did you mean `route`?)  shop.yaml:1:7"),
        (
            "\n\nname: a\n",
            "the document has no line that begins with `kind:`: expected one of its keys to be `kind: client`, say  shop.yaml:3:1",
        ),
        ("kind: role\nname: a\nname: b\n", "the key `name` stands here twice  shop.yaml:3:1"),
        ("kind: role\nname: a\nkind: role\nname: b\n", "the key `kind` stands here twice: separate documents by `---`  shop.yaml:3:1"),
        ("--- kind: role\n", "found text behind `---`: expected the document on the lines below  shop.yaml:1:5"),
        ("%YAML 1.2\n---\nkind: role\n", "found `%YAML 1.2`: expected documents separated by `---`, without directives  shop.yaml:1:1"),
        ("kind: realm\nname: main\naccess_token_seconds: soon\n", "expected a value of type u32  shop.yaml:3:23"),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn a_literal_secret_is_refused_with_its_place_and_never_repeated() {
    for (text, place) in [
        ("kind: client\nname: a\nsecrets: [hunter2-hunter2]\n", "shop.yaml:3:"),
        ("kind: person\nname: a\npassword: hunter2-hunter2\n", "shop.yaml:3:"),
    ] {
        let error = refused(text);
        assert!(
            error.contains("a secret must not stand in a configuration") && error.contains(place) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    assert!(refused(&"#".repeat(LONGEST_FILE + 1)).contains("expected at most 1 MiB"));
    assert!(refused(&"---\nkind: role\nname: a\n".repeat(MOST_DOCUMENTS + 1)).contains("more than 5000 documents"));
    let deep = format!("kind: client\nname: a\njwks: {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    assert!(parse(&deep, Path::new(FILE)).is_err());
    let bomb = "kind: client\nname: a\njwks:\n  a: &a [x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n  f: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(parse(bomb, Path::new(FILE)).is_err());
}

#[test]
fn what_the_server_finds_is_said_at_the_line_that_names_it() {
    let read = documents(
        "kind: role\nname: clerk\n---\nkind: client\nname: web\nscopes: [openid]\nservices:\n  - payments-old\n  - paymets\nroles: [paymets]\n",
    );
    let fault = |field: &str, found: Option<&str>| Fault {
        kind: ResourceKind::Client,
        name: "web".to_owned(),
        field: field.to_owned(),
        found: found.map(str::to_owned),
        place: None,
        message: "the service is not declared".to_owned(),
    };
    for (field, found, place) in [
        ("services[1]", Some("paymets"), "shop.yaml:9:5"),
        ("services[0]", Some("payments"), "shop.yaml:7:1"),
        ("roles[0]", Some("paymets"), "shop.yaml:10:9"),
        ("scopes", None, "shop.yaml:6:1"),
        ("", None, "shop.yaml:4:1"),
        ("jwks", None, "shop.yaml:4:1"),
    ] {
        let error = read.locate(&fault(field, found)).unwrap().to_string();
        assert!(error.ends_with(place), "{field}: {error}");
    }
    let elsewhere = Fault { name: "other".to_owned(), ..fault("services[0]", None) };
    assert_eq!(read.locate(&elsewhere).unwrap_err(), "client \"other\": services[0]: the service is not declared");
}

#[test]
fn a_directory_is_read_whole_and_says_all_that_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("a/roles.yaml", "kind: role\nname: clerk\n");
    write("policies/stock.cedar", "permit (principal, action, resource);\n");
    write("policies/stock.cedarschema", "entity Stock;\n");
    write(".git/config.yaml", "nonsense: true\n");
    write("README.md", "# not a resource\n");
    let read = Documents::read(directory.path()).unwrap();
    let found: Vec<_> = read.iter().map(|document| (document.resource.kind(), document.resource.name())).collect();
    assert_eq!(found, [(ResourceKind::Role, "clerk"), (ResourceKind::Policy, "stock"), (ResourceKind::Schema, "stock")]);

    write("b.yaml", "\nkind: role\nname: clerk\n");
    write("c.yaml", "kind: rule\n");
    let errors = Documents::read(directory.path()).unwrap_err();
    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(errors.len(), 2, "{text}");
    assert!(text.contains("unknown kind `rule`") && text.contains("the role \"clerk\" is declared twice: first in "), "{text}");
}

#[test]
fn secrets_are_read_from_where_the_references_say() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("web.secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let text =
        "kind: client\nname: web\nsecrets: [\"file:web.secret\"]\n---\nkind: person\nname: alice\npassword: ${DURWARD_TEST_NOT_SET}\n";
    let path = directory.path().join(FILE);
    std::fs::write(&path, text).unwrap();
    let read = Documents::read(&path).unwrap();
    let errors = read.resolved().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].to_string().contains("person \"alice\": password: the environment variable DURWARD_TEST_NOT_SET is not set"),
        "{}",
        errors[0]
    );

    std::fs::write(&path, text.split("---").next().unwrap()).unwrap();
    let apply = Documents::read(&path).unwrap().resolved().unwrap();
    assert_eq!(apply.secrets["web"][0].expose(), "0123456789abcdef0123456789abcdef");
    let Resource::Client(client) = &apply.resources[0] else { panic!("a client") };
    assert!(client.secrets.is_empty());
}
